using System.Globalization;

namespace Phi.Api.TrainingJobs;

/// <summary>Collects every error of one validation.</summary>
internal sealed class ErrorList
{
    private readonly List<ValidationError> _errors = [];

    public IReadOnlyList<ValidationError> Errors => _errors;

    public void Add(string field, object? value, string rule, string remedy) =>
        _errors.Add(new ValidationError(field, value is null ? "missing" : Convert.ToString(value, CultureInfo.InvariantCulture)!, rule, remedy));

    public void Range(string field, double? value, double least, double most, string remedy)
    {
        if (value is { } given && !(given >= least && given <= most))
        {
            Add(field, given, Rule(least, most), remedy);
        }
    }

    private static string Rule(double least, double most) =>
        least == double.Epsilon ? string.Create(CultureInfo.InvariantCulture, $"must be above 0 and at most {most}")
        : most >= int.MaxValue ? string.Create(CultureInfo.InvariantCulture, $"must be at least {least}")
        : string.Create(CultureInfo.InvariantCulture, $"must be from {least} to {most}");

    public void Required(string field, object? value, string remedy)
    {
        if (value is null)
        {
            Add(field, null, "is required", remedy);
        }
    }

    public void OneOf(string field, string? value, IReadOnlyList<string> allowed)
    {
        if (value is not null && !allowed.Contains(value))
        {
            Add(field, value, $"must be one of {string.Join(", ", allowed)}", $"write {allowed[0]}, or leave it out");
        }
    }

    public void ExactlyOne(string field, IReadOnlyList<(string Name, object? Value)> choices)
    {
        var given = choices.Where(choice => choice.Value is not null).Select(choice => choice.Name).ToList();
        if (given.Count != 1)
        {
            Add(field, given.Count == 0 ? null : string.Join(" and ", given), $"must have exactly one of {string.Join(", ", choices.Select(c => c.Name))}", given.Count == 0 ? $"add {choices[0].Name}" : $"keep one of {string.Join(" and ", given)}");
        }
    }

    public void Duration(string field, string? value)
    {
        if (value is not null && !Metadata.KubernetesDuration.TryParse(value, out _))
        {
            Add(field, value, "is no duration", "write it like 30s, 10m or 1h30m");
        }
    }
}
