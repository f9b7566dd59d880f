using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>Rules of <c>spec.phi.evaluation</c>; defaults are applied.</summary>
internal static class EvaluationSpecValidator
{
    public const int MostSuites = 8;
    public const int MostK = 8;
    public const int MostSamples = 1000;
    public const int MostTokens = 8192;
    public const int MostThreads = 256;
    public const int LongestFile = 4096;
    public const string DigestPattern = "^[0-9a-f]{64}$";
    public const string DigestRule = "must be 64 lower-case hexadecimal digits";
    public const string DigestRemedy = "write what sha256sum prints for the file";
    public const string FileRule = "must be an absolute path, or an http or https address";
    public const string FileRemedy = "name the suite's file as the pods see it";
    public const string AddressRule = "is required for a file at an address";

    /// <summary>Of this one the published file's digest is known.</summary>
    public const string KnownSuite = "humaneval";
    private const string Field = "spec.phi.evaluation";
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    public static IReadOnlyList<string> Names { get; } = ["humaneval", "mbpp"];

    public static void Validate(EvaluationSpec evaluation, ErrorList errors)
    {
        Suites(evaluation.Suites ?? [], errors);
        errors.Range($"{Field}.everyCheckpoints", evaluation.EveryCheckpoints, 1, int.MaxValue, "write 1 for every checkpoint");
        errors.Range($"{Field}.samples", evaluation.Samples, 1, MostSamples, "take at least one completion of each problem");
        errors.Range($"{Field}.temperature", evaluation.Temperature, 0, 10, "write 0 for the likeliest token each time");
        errors.Range($"{Field}.topP", evaluation.TopP, double.Epsilon, 1, "write 1 to draw from all tokens");
        errors.Range($"{Field}.maxTokens", evaluation.MaxTokens, 1, MostTokens, "leave it out for 512");
        errors.Range($"{Field}.limit", evaluation.Limit, 1, int.MaxValue, "leave it out for all problems");
        errors.Range($"{Field}.threads", evaluation.Threads, 1, MostThreads, "leave it out for 1");
        Duration("timeLimit", evaluation.TimeLimit, LeastTime, MostTime, "leave it out for 5s", errors);
        Duration("waitAtEnd", evaluation.WaitAtEnd, TimeSpan.Zero, LongestWait, "leave it out for 30m", errors);
        if (evaluation is { Samples: > 1 and var samples, Temperature: 0 })
        {
            errors.Add($"{Field}.temperature", 0, $"must be above 0 for several samples ({samples}): they would all be the same", "write 0.8, or samples: 1");
        }

        K(evaluation, errors);
    }

    private static void Suites(List<EvaluationSuiteSpec> suites, ErrorList errors)
    {
        if (suites.Count is 0 or > MostSuites)
        {
            errors.Add($"{Field}.suites", suites.Count, $"must be from 1 to {MostSuites} suites", "name a suite and its file");
        }

        foreach (var (i, suite) in suites.Index())
        {
            var field = $"{Field}.suites[{i}]";
            errors.Required($"{field}.name", suite.Name, $"write one of {string.Join(", ", Names)}");
            errors.OneOf($"{field}.name", suite.Name, Names);
            if (suite.Name is { } name && suites.FindIndex(other => other.Name == name) < i)
            {
                errors.Add($"{field}.name", name, "must not be there twice", "remove one of them");
            }

            errors.Required($"{field}.file", suite.File, FileRemedy);
            if (suite.File is { } file && !(file.StartsWith('/') || IsAddress(file)))
            {
                errors.Add($"{field}.file", file, FileRule, FileRemedy);
            }
            else if (suite.File is { } written && (written.Length > LongestFile || written.Any(char.IsControl)))
            {
                errors.Add($"{field}.file", written.Length > 40 ? written[..40] + "…" : written, $"must have at most {LongestFile} characters, none of them a control character", FileRemedy);
            }

            if (suite.Sha256 is { } digest && !(digest.Length == 64 && digest.All(char.IsAsciiHexDigitLower)))
            {
                errors.Add($"{field}.sha256", digest, DigestRule, DigestRemedy);
            }
            else if (suite is { Sha256: null, File: { } remote } && suite.Name != KnownSuite && IsAddress(remote))
            {
                errors.Add($"{field}.sha256", null, AddressRule, DigestRemedy);
            }
        }
    }

    private static void K(EvaluationSpec evaluation, ErrorList errors)
    {
        var all = evaluation.K ?? [];
        if (all.Count is 0 or > MostK)
        {
            errors.Add($"{Field}.k", all.Count, $"must have from 1 to {MostK} numbers", "write [1], or leave it out");
        }

        foreach (var (i, k) in all.Index())
        {
            if (k < 1 || (k > evaluation.Samples && evaluation.Samples >= 1))
            {
                errors.Add($"{Field}.k[{i}]", k, $"must be from 1 to samples ({evaluation.Samples})", "lower it, or raise samples");
            }
            else if (all.IndexOf(k) < i)
            {
                errors.Add($"{Field}.k[{i}]", k, "must not be there twice", "remove one of them");
            }
        }
    }

    private static void Duration(string name, string? value, TimeSpan least, TimeSpan most, string remedy, ErrorList errors)
    {
        errors.Duration($"{Field}.{name}", value);
        if (value is not null && KubernetesDuration.TryParse(value, out var given) && (given < least || given > most))
        {
            errors.Add($"{Field}.{name}", value, $"must be from {least.TotalSeconds}s to {most.TotalMinutes}m", remedy);
        }
    }

    private static bool IsAddress(string file) => Uri.TryCreate(file, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", Host.Length: > 0 };
}
