using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>One entry of x-kubernetes-validations: a CEL expression that must be true of <c>self</c> (and <c>oldSelf</c>).</summary>
internal sealed partial class CelRule
{
    private readonly string _text;
    private readonly CelExpression _rule;
    private readonly CelExpression? _message;
    private readonly string? _fixedMessage;

    private CelRule(JsonObject rule)
    {
        _text = (string?)rule["rule"] ?? throw new FormatException("a rule is required");
        _rule = CelParser.Parse(_text);
        _message = (string?)rule["messageExpression"] is { } message ? CelParser.Parse(message) : null;
        _fixedMessage = (string?)rule["message"];
        IsTransition = OldSelf().IsMatch(_text);
        FieldPath = ((string?)rule["fieldPath"] ?? "").TrimStart('.');
        Reason = (string?)rule["reason"] ?? "FieldValueInvalid";
    }

    public string FieldPath { get; }
    public string Reason { get; }

    /// <summary>It names oldSelf, and so is about the change.</summary>
    public bool IsTransition { get; }

    /// <exception cref="FormatException">The rule does not compile.</exception>
    public static CelRule Parse(JsonObject rule, string path)
    {
        try
        {
            return new CelRule(rule);
        }
        catch (FormatException e)
        {
            throw new FormatException($"openAPIV3Schema{path}.x-kubernetes-validations: Invalid value: {(string?)rule["rule"]}: compilation failed: {e.Message}", e);
        }
    }

    /// <summary>Null if the rule holds (a transition rule without an old value does); else what is wrong.</summary>
    public string? Check(JsonNode value, JsonNode? old, Schema schema)
    {
        if (IsTransition && old is null)
        {
            return null;
        }

        var evaluator = new CelEvaluator(new Dictionary<string, object?> { ["self"] = Typed(value, schema), ["oldSelf"] = old is null ? null : Typed(old, schema) });
        try
        {
            return evaluator.Evaluate(_rule) switch
            {
                true => null,
                false => Message(evaluator),
                _ => $"rule evaluation error: {_text} is no bool",
            };
        }
        catch (CelException e)
        {
            return $"rule evaluation error: {e.Message}";
        }
    }

    private string Message(CelEvaluator evaluator)
    {
        try
        {
            if (_message is not null && evaluator.Evaluate(_message) is string { Length: > 0 } message)
            {
                return message;
            }
        }
        catch (CelException)
        {
            // A message that cannot be made gives way to the fixed one, as in the API server.
        }

        return _fixedMessage ?? $"failed rule: {_text}";
    }

    private static object? Typed(JsonNode value, Schema schema) =>
        schema.Type == "number" && CelEvaluator.FromJson(value) is long whole ? (double)whole : CelEvaluator.FromJson(value);

    [GeneratedRegex(@"\boldSelf\b", RegexOptions.CultureInvariant)]
    private static partial Regex OldSelf();
}
