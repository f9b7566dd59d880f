using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>An expression that has no value, such as the selection of an absent field.</summary>
internal sealed class CelException(string message) : Exception(message);

/// <summary>
/// Evaluates CEL. Values are null, bool, long, double, string, TimeSpan, DateTimeOffset, JsonObject and JsonArray from the object, and
/// lists and dictionaries that the expression makes.
/// </summary>
internal sealed class CelEvaluator(IReadOnlyDictionary<string, object?> variables)
{
    public object? Evaluate(CelExpression expression) => expression switch
    {
        CelExpression.Literal literal => literal.Value,
        CelExpression.Identifier identifier => variables.TryGetValue(identifier.Name, out var value)
            ? value
            : identifier.Name is "int" or "string" or "bool" or "double" or "list" or "map" ? new CelType(identifier.Name) : throw new CelException($"undeclared reference to '{identifier.Name}'"),
        CelExpression.Select select => Field(Evaluate(select.Target), select.Field, out var found) is var value && found ? value : throw new CelException($"no such key: {select.Field}"),
        CelExpression.Has has => Field(Evaluate(has.Field.Target), has.Field.Field, out var present) is not null || present,
        CelExpression.Index index => At(Evaluate(index.Target), Evaluate(index.Key)),
        CelExpression.Conditional conditional => Evaluate(Truth(conditional.If) ? conditional.Then : conditional.Else),
        CelExpression.ListOf list => list.Items.Select(Evaluate).ToList(),
        CelExpression.MapOf map => map.Entries.ToDictionary(entry => (string)Evaluate(entry.Key)!, entry => Evaluate(entry.Value)),
        CelExpression.Comprehension comprehension => Comprehend(comprehension),
        CelExpression.Call { Function: "&&" } both => Logical(both, false),
        CelExpression.Call { Function: "||" } either => Logical(either, true),
        CelExpression.Call call => CelFunctions.Call(call.Function, call.Target is { } target ? [Evaluate(target), .. call.Arguments.Select(Evaluate)] : [.. call.Arguments.Select(Evaluate)]),
        _ => throw new CelException($"{expression.GetType().Name} has no value"),
    };

    /// <summary>A JSON value as a CEL value; a number written without fraction is an int.</summary>
    public static object? FromJson(JsonNode? node)
    {
        switch (node?.GetValueKind())
        {
            case null:
                return null;
            case JsonValueKind.Object or JsonValueKind.Array:
                return node;
            case JsonValueKind.String:
                return (string?)node;
            case JsonValueKind.True or JsonValueKind.False:
                return (bool)node;
            default:
                return long.TryParse(node.ToJsonString(), CultureInfo.InvariantCulture, out var whole) ? whole : (object)SchemaValidator.Number(node.AsValue());
        }
    }

    private bool Truth(CelExpression expression) => Evaluate(expression) as bool? ?? throw new CelException("no such overload: a condition must be a bool");

    /// <summary>Either side decides even when the other is an error (langdef.md, "Logical operators").</summary>
    private bool Logical(CelExpression.Call call, bool deciding)
    {
        try
        {
            return Truth(call.Arguments[0]) == deciding ? deciding : Truth(call.Arguments[1]);
        }
        catch (CelException) when (Decides(call.Arguments[1]))
        {
            return deciding;
        }

        bool Decides(CelExpression other)
        {
            try
            {
                return Truth(other) == deciding;
            }
            catch (CelException)
            {
                return false;
            }
        }
    }

    private static object? Field(object? target, string name, out bool found)
    {
        switch (target)
        {
            case JsonObject members:
                found = members.TryGetPropertyValue(name, out var member);
                return FromJson(member);
            case IDictionary<string, object?> map:
                found = map.TryGetValue(name, out var value);
                return value;
            default:
                throw new CelException($"type '{CelFunctions.TypeName(target)}' does not support field selection");
        }
    }

    private static object? At(object? target, object? key)
    {
        if (key is string name)
        {
            return Field(target, name, out var found) is var value && found ? value : throw new CelException($"no such key: {name}");
        }

        return Items(target) is { } items && key is long index
            ? index >= 0 && index < items.Count ? items[(int)index] : throw new CelException($"index out of bounds: {index}")
            : throw new CelException("no such overload: _[_]");
    }

    /// <summary>The items of a list, or the keys of a map; null for another value.</summary>
    public static IList<object?>? Items(object? value) => value switch
    {
        JsonArray array => [.. array.Select(FromJson)],
        JsonObject members => [.. members.Select(pair => (object?)pair.Key)],
        IDictionary<string, object?> map => [.. map.Keys],
        IList<object?> list => list,
        _ => null,
    };

    private object? Comprehend(CelExpression.Comprehension comprehension)
    {
        var items = Items(Evaluate(comprehension.Range)) ?? throw new CelException($"{comprehension.Macro} needs a list or a map");
        var results = new List<(object? Item, object? Value)>();
        CelException? error = null;
        foreach (var item in items)
        {
            var inner = new CelEvaluator(new Dictionary<string, object?>(variables) { [comprehension.Variable] = item });
            try
            {
                if (comprehension.Filter is { } filter && !inner.Truth(filter))
                {
                    continue;
                }

                results.Add((item, inner.Evaluate(comprehension.Body)));
            }
            catch (CelException e) when (comprehension.Macro is "all" or "exists")
            {
                error = e;
            }
        }

        return comprehension.Macro switch
        {
            "all" when results.Any(result => result.Value is false) => false,
            "exists" when results.Any(result => result.Value is true) => true,
            "all" or "exists" when error is not null => throw error,
            "all" => true,
            "exists" => false,
            "exists_one" => results.Count(result => result.Value is true) == 1,
            "filter" => results.Where(result => result.Value is true).Select(result => result.Item).ToList(),
            _ => results.Select(result => result.Value).ToList(),
        };
    }
}

/// <summary>The type that <c>type(x)</c> gives.</summary>
internal sealed record CelType(string Name);
