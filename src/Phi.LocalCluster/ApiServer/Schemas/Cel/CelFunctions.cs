using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.Api.Metadata;

namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>CEL's standard functions and those that Kubernetes adds for strings and lists.</summary>
internal static class CelFunctions
{
    public static object? Call(string function, object?[] arguments) => (function, arguments) switch
    {
        ("!", [bool value]) => !value,
        ("-", [long value]) => -value,
        ("-", [double value]) => -value,
        ("==", [var left, var right]) => AreEqual(left, right),
        ("!=", [var left, var right]) => !AreEqual(left, right),
        ("<", [var left, var right]) => Compare(left, right) < 0,
        ("<=", [var left, var right]) => Compare(left, right) <= 0,
        (">", [var left, var right]) => Compare(left, right) > 0,
        (">=", [var left, var right]) => Compare(left, right) >= 0,
        ("in", [var item, var list]) => (CelEvaluator.Items(list) ?? throw None(function)).Any(candidate => AreEqual(candidate, item)),
        ("+", [string left, string right]) => left + right,
        ("+", [TimeSpan left, TimeSpan right]) => left + right,
        ("+", [DateTimeOffset left, TimeSpan right]) => left + right,
        ("-", [DateTimeOffset left, DateTimeOffset right]) => left - right,
        ("-", [TimeSpan left, TimeSpan right]) => left - right,
        ("+", [var left, var right]) when left is not (long or double) && CelEvaluator.Items(left) is { } first && CelEvaluator.Items(right) is { } second => first.Concat(second).ToList(),
        ("+" or "-" or "*" or "/" or "%", [long left, long right]) => Arithmetic(function, left, right),
        ("+" or "-" or "*" or "/", [long or double, long or double]) => Arithmetic(function, Real(arguments[0]), Real(arguments[1])),
        ("size", [string text]) => (long)new StringInfo(text).LengthInTextElements,
        ("size", [var list]) => (long)(CelEvaluator.Items(list) ?? throw None(function)).Count,
        ("type", [var value]) => new CelType(TypeName(value)),
        ("int", [var value]) => value switch { string text when long.TryParse(text, CultureInfo.InvariantCulture, out var whole) => whole, double real => (long)real, long whole => whole, _ => throw None(function) },
        ("double", [var value]) => value switch { string text when double.TryParse(text, CultureInfo.InvariantCulture, out var real) => real, long whole => (double)whole, double real => real, _ => throw None(function) },
        ("string", [var value]) => value switch { bool truth => truth ? "true" : "false", _ => Convert.ToString(value, CultureInfo.InvariantCulture) },
        ("duration", [string text]) => KubernetesDuration.TryParse(text, out var duration) ? duration : throw new CelException($"'{text}' is no duration"),
        ("timestamp", [string text]) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var time) ? time : throw new CelException($"'{text}' is no timestamp"),
        ("startsWith", [string text, string part]) => text.StartsWith(part, StringComparison.Ordinal),
        ("endsWith", [string text, string part]) => text.EndsWith(part, StringComparison.Ordinal),
        ("contains", [string text, string part]) => text.Contains(part, StringComparison.Ordinal),
        ("indexOf", [string text, string part]) => (long)text.IndexOf(part, StringComparison.Ordinal),
        ("matches", [string text, string pattern]) => Patterns.Of(pattern).IsMatch(text),
        ("lowerAscii", [string text]) => text.ToLowerInvariant(),
        ("upperAscii", [string text]) => text.ToUpperInvariant(),
        ("trim", [string text]) => text.Trim(),
        ("split", [string text, string separator]) => text.Split(separator).Select(part => (object?)part).ToList(),
        ("replace", [string text, string from, string to]) => text.Replace(from, to, StringComparison.Ordinal),
        ("substring", [string text, long from]) => text[(int)from..],
        ("substring", [string text, long from, long to]) => text[(int)from..(int)to],
        ("join", [var list, .. var rest]) => string.Join(rest is [string separator] ? separator : "", CelEvaluator.Items(list) ?? throw None(function)),
        ("sum", [var list]) => (CelEvaluator.Items(list) ?? throw None(function)).Aggregate((object?)0L, (total, item) => Call("+", [total, item])),
        ("min", [var list]) => Extreme(list, function, -1),
        ("max", [var list]) => Extreme(list, function, 1),
        ("isSorted", [var list]) => (CelEvaluator.Items(list) ?? throw None(function)) is var items && items.Zip(items.Skip(1)).All(pair => Compare(pair.First, pair.Second) <= 0),
        ("getSeconds", [TimeSpan duration]) => (long)duration.TotalSeconds,
        _ => throw None(function, arguments),
    };

    public static string TypeName(object? value) => value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        double => "double",
        string => "string",
        JsonObject or IDictionary<string, object?> => "map",
        TimeSpan => "google.protobuf.Duration",
        DateTimeOffset => "google.protobuf.Timestamp",
        CelType => "type",
        _ => "list",
    };

    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (long or double, long or double) => Real(left).Equals(Real(right)),
        (JsonNode first, JsonNode second) => JsonNode.DeepEquals(first, second),
        _ when left is not (string or null) && TypeName(left) is "list" && TypeName(right) is "list" =>
            CelEvaluator.Items(left) is { } first && CelEvaluator.Items(right) is { } second && first.Count == second.Count && first.Zip(second).All(pair => AreEqual(pair.First, pair.Second)),
        _ => Equals(left, right),
    };

    private static int Compare(object? left, object? right) => (left, right) switch
    {
        (long first, long second) => first.CompareTo(second),
        (long or double, long or double) => Real(left).CompareTo(Real(right)),
        (string first, string second) => string.CompareOrdinal(first, second),
        (bool first, bool second) => first.CompareTo(second),
        (TimeSpan first, TimeSpan second) => first.CompareTo(second),
        (DateTimeOffset first, DateTimeOffset second) => first.CompareTo(second),
        _ => throw new CelException($"no such overload: {TypeName(left)} < {TypeName(right)}"),
    };

    private static long Arithmetic(string function, long left, long right)
    {
        try
        {
            return function switch
            {
                "+" => checked(left + right),
                "-" => checked(left - right),
                "*" => checked(left * right),
                "/" => left / right,
                _ => left % right,
            };
        }
        catch (ArithmeticException e)
        {
            throw new CelException(e is DivideByZeroException ? "division by zero" : "integer overflow");
        }
    }

    private static double Arithmetic(string function, double left, double right) => function switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        _ => left / right,
    };

    private static object? Extreme(object? list, string function, int sign)
    {
        var items = CelEvaluator.Items(list) ?? throw None(function);
        return items.Count == 0 ? throw new CelException($"{function} of an empty list") : items.Aggregate((best, item) => Math.Sign(Compare(item, best)) == sign ? item : best);
    }

    private static double Real(object? value) => value is long whole ? whole : (double)value!;

    private static CelException None(string function, params object?[] arguments) =>
        new($"no such overload: {function}({string.Join(", ", arguments.Select(TypeName))})");
}
