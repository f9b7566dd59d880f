using System.Globalization;
using System.Text;

namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

internal enum CelTokenKind
{
    End,
    Identifier,
    Integer,
    Number,
    String,
    Operator,
}

internal readonly record struct CelToken(CelTokenKind Kind, string Text, object? Value, int Position);

/// <summary>Splits a CEL expression into tokens (cel-spec, langdef.md, "Syntax").</summary>
internal static class CelLexer
{
    private static readonly string[] Operators = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    public static List<CelToken> Read(string text)
    {
        var tokens = new List<CelToken>();
        var at = 0;
        while (at < text.Length)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c is '"' or '\'' || (c is 'r' or 'R' && at + 1 < text.Length && text[at + 1] is '"' or '\''))
            {
                tokens.Add(String(text, ref at));
            }
            else if (char.IsAsciiDigit(c))
            {
                tokens.Add(Number(text, ref at));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                var start = at;
                while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
                {
                    at++;
                }

                tokens.Add(new CelToken(CelTokenKind.Identifier, text[start..at], null, start));
            }
            else
            {
                var symbol = Array.Find(Operators, candidate => string.CompareOrdinal(text, at, candidate, 0, candidate.Length) == 0)
                    ?? throw new FormatException($"unexpected character '{c}' at {at}");
                tokens.Add(new CelToken(CelTokenKind.Operator, symbol, null, at));
                at += symbol.Length;
            }
        }

        tokens.Add(new CelToken(CelTokenKind.End, "", null, at));
        return tokens;
    }

    private static CelToken Number(string text, ref int at)
    {
        var start = at;
        if (text[at] == '0' && at + 1 < text.Length && text[at + 1] is 'x' or 'X')
        {
            at += 2;
            while (at < text.Length && char.IsAsciiHexDigit(text[at]))
            {
                at++;
            }

            return new CelToken(CelTokenKind.Integer, text[start..at], long.Parse(text.AsSpan(start + 2, at - start - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture), start);
        }

        var real = false;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || (text[at] == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])) || text[at] is 'e' or 'E' || (text[at] is '+' or '-' && text[at - 1] is 'e' or 'E')))
        {
            real |= text[at] is '.' or 'e' or 'E';
            at++;
        }

        var digits = text[start..at];
        if (at < text.Length && text[at] is 'u' or 'U')
        {
            at++;
        }

        return real
            ? new CelToken(CelTokenKind.Number, digits, double.Parse(digits, CultureInfo.InvariantCulture), start)
            : new CelToken(CelTokenKind.Integer, digits, long.Parse(digits, CultureInfo.InvariantCulture), start);
    }

    private static CelToken String(string text, ref int at)
    {
        var start = at;
        var raw = text[at] is 'r' or 'R';
        at += raw ? 1 : 0;
        var quote = text[at++];
        var value = new StringBuilder();
        while (true)
        {
            if (at >= text.Length)
            {
                throw new FormatException($"string at {start} has no end");
            }

            var c = text[at++];
            if (c == quote)
            {
                return new CelToken(CelTokenKind.String, text[start..at], value.ToString(), start);
            }

            if (c != '\\' || raw)
            {
                value.Append(c);
                continue;
            }

            c = text[at++];
            value.Append(c switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => (char)int.Parse(text.AsSpan((at += 4) - 4, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                _ => c,
            });
        }
    }
}
