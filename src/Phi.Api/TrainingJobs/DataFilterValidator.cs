namespace Phi.Api.TrainingJobs;

/// <summary>Checks <c>spec.phi.data.filter</c>.</summary>
internal static class DataFilterValidator
{
    private const string Filter = "spec.phi.data.filter";

    public static void Validate(DataFilterSpec filter, ErrorList errors)
    {
        errors.Range($"{Filter}.minBytes", filter.MinBytes, 1, long.MaxValue, "leave it out for no such rule");
        errors.Range($"{Filter}.maxBytes", filter.MaxBytes, 1, long.MaxValue, "leave it out for no such rule");
        errors.Range($"{Filter}.maxLineLength", filter.MaxLineLength, 1, long.MaxValue, "leave it out for no such rule");
        errors.Range($"{Filter}.maxMeanLineLength", filter.MaxMeanLineLength, double.Epsilon, 1e9, "write 100 for code, or leave it out");
        errors.Range($"{Filter}.minAlphanumeric", filter.MinAlphanumeric, 0, 1, "write a share, such as 0.25");
        errors.Range($"{Filter}.minComments", filter.MinComments, 0, 1, "write a share, such as 0.01");
        errors.Range($"{Filter}.maxComments", filter.MaxComments, 0, 1, "write a share, such as 0.8");
        errors.Range($"{Filter}.nearDuplicates", filter.NearDuplicates, 0.5, 1, "write 0.85 for code");
        Ordered("Bytes", filter.MinBytes, filter.MaxBytes, errors);
        Ordered("Comments", filter.MinComments, filter.MaxComments, errors);
        if (filter.Classifier is not { } classifier)
        {
            return;
        }

        errors.Required($"{Filter}.classifier.model", classifier.Model, "name a model of phi data train-filter on the nodes");
        errors.Range($"{Filter}.classifier.threshold", classifier.Threshold, 0, 1, "write the least score of a document that is kept");
        if (classifier.Model is not null && !classifier.Model.StartsWith('/'))
        {
            errors.Add($"{Filter}.classifier.model", classifier.Model, "must be an absolute path, because a pod has no folder that it could be relative to", "name the model on the nodes");
        }
    }

    private static void Ordered(string what, double? least, double? most, ErrorList errors)
    {
        if (least > most)
        {
            errors.Add($"{Filter}.min{what}", least, $"must be at most max{what}, which is {FormattableString.Invariant($"{most}")}", "lower it, or raise the other: no document can be both");
        }
    }
}
