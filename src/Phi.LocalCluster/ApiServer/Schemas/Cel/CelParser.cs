namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>Precedence-climbing parser of CEL (cel-spec, langdef.md).</summary>
internal sealed class CelParser
{
    private static readonly string[][] Levels = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];
    private static readonly string[] Macros = ["all", "exists", "exists_one", "filter", "map"];
    private readonly List<CelToken> _tokens;
    private int _at;

    private CelParser(string text) => _tokens = CelLexer.Read(text);

    /// <exception cref="FormatException">The text is no CEL expression.</exception>
    public static CelExpression Parse(string text)
    {
        var parser = new CelParser(text);
        var expression = parser.Conditional();
        return parser.Current.Kind == CelTokenKind.End ? expression : throw parser.Unexpected();
    }

    private CelToken Current => _tokens[_at];

    private CelExpression Conditional()
    {
        var condition = Binary(0);
        if (!Take("?"))
        {
            return condition;
        }

        var then = Conditional();
        Expect(":");
        return new CelExpression.Conditional(condition, then, Conditional());
    }

    private CelExpression Binary(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        var left = Binary(level + 1);
        while (Levels[level].Contains(Current.Text) && Current.Kind is CelTokenKind.Operator or CelTokenKind.Identifier)
        {
            var sign = _tokens[_at++].Text;
            left = new CelExpression.Call(null, sign, [left, Binary(level + 1)]);
        }

        return left;
    }

    private CelExpression Unary()
    {
        if (Take("!"))
        {
            return new CelExpression.Call(null, "!", [Unary()]);
        }

        return Take("-") ? new CelExpression.Call(null, "-", [Unary()]) : Member();
    }

    private CelExpression Member()
    {
        var expression = Primary();
        while (true)
        {
            if (Take("."))
            {
                var name = Identifier();
                expression = Take("(") ? Method(expression, name) : new CelExpression.Select(expression, Unescape(name));
            }
            else if (Take("["))
            {
                expression = new CelExpression.Index(expression, Conditional());
                Expect("]");
            }
            else
            {
                return expression;
            }
        }
    }

    private CelExpression Method(CelExpression target, string name)
    {
        var arguments = Arguments(")");
        if (!Macros.Contains(name))
        {
            return new CelExpression.Call(target, name, arguments);
        }

        if (arguments.Count is < 2 or > 3 || arguments[0] is not CelExpression.Identifier variable)
        {
            throw new FormatException($"{name} takes a variable and an expression");
        }

        return new CelExpression.Comprehension(name, target, variable.Name, arguments.Count == 3 ? arguments[1] : null, arguments[^1]);
    }

    private CelExpression Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case CelTokenKind.Integer or CelTokenKind.Number or CelTokenKind.String:
                _at++;
                return new CelExpression.Literal(token.Value);
            case CelTokenKind.Identifier:
                _at++;
                return token.Text switch
                {
                    "true" => new CelExpression.Literal(true),
                    "false" => new CelExpression.Literal(false),
                    "null" => new CelExpression.Literal(null),
                    _ when Take("(") => Function(token.Text),
                    _ => new CelExpression.Identifier(token.Text),
                };
        }

        if (Take("("))
        {
            var inner = Conditional();
            Expect(")");
            return inner;
        }

        if (Take("["))
        {
            return new CelExpression.ListOf(Arguments("]"));
        }

        if (Take("{"))
        {
            return Map();
        }

        throw Unexpected();
    }

    private CelExpression Function(string name)
    {
        var arguments = Arguments(")");
        return name != "has"
            ? new CelExpression.Call(null, name, arguments)
            : arguments is [CelExpression.Select field] ? new CelExpression.Has(field) : throw new FormatException("has takes a field selection, such as has(self.field)");
    }

    private CelExpression.MapOf Map()
    {
        var entries = new List<(CelExpression, CelExpression)>();
        while (!Take("}"))
        {
            var key = Conditional();
            Expect(":");
            entries.Add((key, Conditional()));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }

        return new CelExpression.MapOf(entries);
    }

    private List<CelExpression> Arguments(string end)
    {
        var arguments = new List<CelExpression>();
        while (!Take(end))
        {
            arguments.Add(Conditional());
            if (!Take(","))
            {
                Expect(end);
                break;
            }
        }

        return arguments;
    }

    private string Identifier() => Current.Kind == CelTokenKind.Identifier ? _tokens[_at++].Text : throw Unexpected();

    private bool Take(string sign)
    {
        if (Current.Kind != CelTokenKind.Operator || Current.Text != sign)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string sign)
    {
        if (!Take(sign))
        {
            throw Unexpected();
        }
    }

    /// <summary>Field names that are no identifiers are written escaped (Kubernetes, "Escaping" of CRD validation rules).</summary>
    private static string Unescape(string name) =>
        !name.Contains("__", StringComparison.Ordinal)
            ? name
            : name is ['_', '_', .. var word, '_', '_'] && !word.Contains("__", StringComparison.Ordinal) && word is not ("dot" or "dash" or "slash" or "underscores")
                ? word
                : name.Replace("__dot__", ".", StringComparison.Ordinal).Replace("__dash__", "-", StringComparison.Ordinal).Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);

    private FormatException Unexpected() =>
        new(Current.Kind == CelTokenKind.End ? "the expression ends too early" : $"unexpected '{Current.Text}' at {Current.Position}");
}
