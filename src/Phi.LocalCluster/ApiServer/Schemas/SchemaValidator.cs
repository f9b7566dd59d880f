using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Schemas.Cel;

namespace Phi.LocalCluster.ApiServer.Schemas;

/// <summary>
/// Checks a value against a structural schema and its CEL rules; reports every error. What is as it was before is let pass, so that a definition may
/// become stricter under its objects (kubernetes.io, "Validation ratcheting"): of a list only the items of a map are found again.
/// </summary>
internal static class SchemaValidator
{
    private const string Null = "null";

    public static IReadOnlyList<FieldError> Validate(JsonNode? value, JsonNode? old, Schema schema)
    {
        var errors = new List<FieldError>();
        Check(value, old, schema, "", errors);
        if (errors.Count == 0)
        {
            // Rules see only values of the declared types, so they run when the types are right.
            CheckRules(value, old, schema, new Pair(value, old), "", errors);
        }

        return errors;
    }

    private static void Check(JsonNode? value, JsonNode? old, Schema schema, string path, List<FieldError> errors)
    {
        var before = errors.Count;
        CheckAnew(value, old, schema.Resolved, path, errors);
        if (errors.Count > before && new Pair(value, old).IsUnchanged)
        {
            errors.RemoveRange(before, errors.Count - before);
        }
    }

    private static void CheckAnew(JsonNode? value, JsonNode? old, Schema schema, string path, List<FieldError> errors)
    {
        if (value is null)
        {
            if (!schema.Nullable && (schema.Type is not null || schema.IntOrString))
            {
                errors.Add(TypeError(path, Null, schema.IntOrString ? "integer or string" : schema.Type!));
            }

            return;
        }

        if (!TypeFits(value, schema))
        {
            errors.Add(TypeError(path, TypeOf(value), schema.IntOrString ? "integer or string" : schema.Type!));
            return;
        }

        if (schema.Enum.Count > 0 && !schema.Enum.Any(allowed => JsonNode.DeepEquals(allowed, value)))
        {
            var supported = string.Join(", ", schema.Enum.Select(Text));
            errors.Add(new FieldError(Place(path), "FieldValueNotSupported", $"Unsupported value: {Text(value)}: supported values: {supported}"));
        }

        switch (value)
        {
            case JsonObject members:
                Members(members, old as JsonObject, schema, path, errors);
                break;
            case JsonArray items:
                Items(items, old as JsonArray, schema, path, errors);
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String:
                Strings((string)scalar!, schema, path, errors);
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.Number:
                Numbers(scalar, schema, path, errors);
                break;
        }

        foreach (var part in schema.AllOf)
        {
            Check(value, old: null, part, path, errors);
        }

        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(part => Fits(value, part)))
        {
            errors.Add(Invalid(path, value, "must validate at least one schema (anyOf)"));
        }

        if (schema.OneOf.Count > 0 && schema.OneOf.Count(part => Fits(value, part)) != 1)
        {
            errors.Add(Invalid(path, value, "must validate one and only one schema (oneOf)"));
        }

        if (schema.Not is { } not && Fits(value, not))
        {
            errors.Add(Invalid(path, value, "must not validate the schema (not)"));
        }
    }

    private static bool Fits(JsonNode value, Schema schema)
    {
        var errors = new List<FieldError>();
        Check(value, old: null, schema, "", errors);
        return errors.Count == 0;
    }

    private static void Members(JsonObject members, JsonObject? old, Schema schema, string path, List<FieldError> errors)
    {
        errors.AddRange(schema.Required.Where(name => !members.ContainsKey(name)).Select(name => FieldError.Required(Join(path, name))));
        Count(path, members.Count, schema.MinProperties, schema.MaxProperties, "properties", errors);
        foreach (var (name, child) in members)
        {
            if (schema.Child(name) is { } below)
            {
                Check(child, old?[name], below, Join(path, name), errors);
            }
        }
    }

    private static void Items(JsonArray items, JsonArray? old, Schema schema, string path, List<FieldError> errors)
    {
        Count(path, items.Count, schema.MinItems, schema.MaxItems, "items", errors);
        if (schema.Items is { } each)
        {
            foreach (var (index, item) in items.Index())
            {
                Check(item, Before(item, old, schema), each, $"{path}[{index}]", errors);
            }
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, item) in items.Index())
        {
            var key = schema.ListType switch
            {
                "map" => string.Join('\u0001', schema.ListMapKeys.Select(name => (item as JsonObject)?[name]?.ToJsonString() ?? Null)),
                _ when schema.ListType == "set" || schema.UniqueItems => item?.ToJsonString() ?? Null,
                _ => null,
            };
            if (key is not null && !seen.Add(key))
            {
                errors.Add(new FieldError($"{Place(path)}[{index}]", "FieldValueDuplicate", $"Duplicate value: {(schema.ListType == "map" ? new JsonObject(schema.ListMapKeys.Select(name => KeyValuePair.Create(name, item![name]?.DeepClone()))).ToJsonString() : Text(item))}"));
            }
        }
    }

    private static void Strings(string text, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.MaxLength is { } most && text.Length > most)
        {
            errors.Add(new FieldError(Place(path), "FieldValueTooLong", $"Too long: may not be more than {most} bytes"));
        }

        if (schema.MinLength is { } least && text.Length < least)
        {
            errors.Add(Invalid(path, text, $"should be at least {least} chars long"));
        }

        if (schema.Pattern is { } pattern && !pattern.IsMatch(text))
        {
            errors.Add(Invalid(path, text, $"should match '{schema.PatternText}'"));
        }

        if (schema.Format == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
        {
            errors.Add(Invalid(path, text, "must be of type date-time: \"" + text + "\""));
        }
    }

    private static void Numbers(JsonValue scalar, Schema schema, string path, List<FieldError> errors)
    {
        var number = Number(scalar);
        if (schema.Minimum is { } least && (schema.ExclusiveMinimum ? number <= least : number < least))
        {
            errors.Add(Invalid(path, scalar, $"should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Show(least)}"));
        }

        if (schema.Maximum is { } most && (schema.ExclusiveMaximum ? number >= most : number > most))
        {
            errors.Add(Invalid(path, scalar, $"should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Show(most)}"));
        }

        if (schema.MultipleOf is { } unit && Math.Abs(number / unit - Math.Round(number / unit)) > 1e-9)
        {
            errors.Add(Invalid(path, scalar, $"should be a multiple of {Show(unit)}"));
        }

        static string Show(double value) => value.ToString(CultureInfo.InvariantCulture);
    }

    /// <param name="nearest">The value itself, or what it is in, with what that was before.</param>
    private static void CheckRules(JsonNode? value, JsonNode? old, Schema schema, Pair nearest, string path, List<FieldError> errors)
    {
        schema = schema.Resolved;
        if (value is null)
        {
            return;
        }

        foreach (var rule in schema.Rules)
        {
            if (rule.Check(value, old, schema) is { } problem && (rule.IsTransition || !nearest.IsUnchanged))
            {
                errors.Add(new FieldError(Join(path, rule.FieldPath), rule.Reason, rule.Reason switch
                {
                    "FieldValueRequired" => $"Required value: {problem}",
                    "FieldValueForbidden" => $"Forbidden: {problem}",
                    _ => $"Invalid value: {(value is JsonObject ? "\"object\"" : value is JsonArray ? "\"array\"" : Text(value))}: {problem}",
                }));
            }
        }

        switch (value)
        {
            case JsonObject members:
                foreach (var (name, child) in members)
                {
                    if (schema.Child(name) is { } below)
                    {
                        var before = (old as JsonObject)?[name];
                        CheckRules(child, before, below, before is null ? nearest : new Pair(child, before), Join(path, name), errors);
                    }
                }

                break;
            case JsonArray items when schema.Items is { } each:
                foreach (var (index, item) in items.Index())
                {
                    // Rules on what is not found again see no old value.
                    var before = Before(item, old as JsonArray, schema);
                    CheckRules(item, before, each, before is null ? nearest : new Pair(item, before), $"{path}[{index}]", errors);
                }

                break;
        }
    }

    /// <summary>Only a list map says which of the old items an item was.</summary>
    private static JsonNode? Before(JsonNode? item, JsonArray? old, Schema list) => list.ListType == "map"
        ? old?.FirstOrDefault(candidate => list.ListMapKeys.All(key => JsonNode.DeepEquals((candidate as JsonObject)?[key], (item as JsonObject)?[key])))
        : null;

    private static bool TypeFits(JsonNode value, Schema schema)
    {
        var type = TypeOf(value);
        if (schema.IntOrString)
        {
            return type is "integer" or "string";
        }

        return schema.Type is null || schema.Type == type || (schema.Type == "number" && type == "integer");
    }

    private static string TypeOf(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => Number(value.AsValue()) is var number && Math.Floor(number) == number && Math.Abs(number) < 1e19 ? "integer" : "number",
    };

    internal static double Number(JsonValue value) =>
        value.TryGetValue(out double number) ? number : double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static void Count(string path, int count, int? least, int? most, string what, List<FieldError> errors)
    {
        if (count < least)
        {
            errors.Add(Invalid(path, (JsonNode)count, $"should have at least {least} {what}"));
        }

        if (count > most)
        {
            errors.Add(new FieldError(Place(path), "FieldValueTooMany", $"Too many: {count}: must have at most {most} {what}"));
        }
    }

    private static FieldError TypeError(string path, string found, string wanted) =>
        new(Place(path), "FieldValueTypeInvalid", $"Invalid value: \"{found}\": {path.TrimStart('.')} in body must be of type {wanted}: \"{found}\"");

    private static FieldError Invalid(string path, JsonNode value, string rule) =>
        FieldError.Invalid(Place(path), value is JsonObject ? "\"object\"" : value is JsonArray ? "\"array\"" : Text(value), $"{path.TrimStart('.')} in body {rule}");

    private static string Text(JsonNode? value) => value?.ToJsonString(Plain) ?? Null;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Place(string path) => path.Length == 0 ? "<root>" : path.TrimStart('.');

    private static string Join(string path, string name) => name.Length == 0 ? path.Length == 0 ? "<root>" : path : path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>A value, and what it was before; null: nothing that is known.</summary>
    private readonly record struct Pair(JsonNode? Value, JsonNode? Old)
    {
        public bool IsUnchanged => Old is not null && JsonNode.DeepEquals(Value, Old);
    }
}
