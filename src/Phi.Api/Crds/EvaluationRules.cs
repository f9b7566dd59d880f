using Phi.Api.TrainingJobs;

namespace Phi.Api.Crds;

/// <summary>What the API server checks of <c>spec.phi.evaluation</c>.</summary>
internal static class EvaluationRules
{
    private const string Path = "phi.evaluation";

    public static IReadOnlyList<CrdRule> All { get; } =
    [
        CrdRule.Required(Path, "suites"),
        CrdRule.Limit($"{Path}.suites", EvaluationSpecValidator.MostSuites),
        CrdRule.Cel($"{Path}.suites", "size(self) > 0", "must name at least one suite; name a suite and its file"),
        CrdRule.Cel($"{Path}.suites", "self.all(suite, self.exists_one(other, other.name == suite.name))", "must name each suite once; remove the other one"),
        CrdRule.Required($"{Path}.suites[]", "name", "file"),
        CrdRule.OneOf($"{Path}.suites[].name", [.. EvaluationSpecValidator.Names]),
        CrdRule.Limit($"{Path}.suites[].file", EvaluationSpecValidator.LongestFile),
        CrdRule.Cel($"{Path}.suites[].file", "self.matches('^(/|https?://[^/])')", $"{EvaluationSpecValidator.FileRule}; {EvaluationSpecValidator.FileRemedy}"),
        CrdRule.Limit($"{Path}.suites[].sha256", 64),
        CrdRule.Cel($"{Path}.suites[].sha256", $"self.matches('{EvaluationSpecValidator.DigestPattern}')", $"{EvaluationSpecValidator.DigestRule}; {EvaluationSpecValidator.DigestRemedy}"),
        CrdRule.Cel($"{Path}.suites[]", $"self.file.startsWith('/') || has(self.sha256) || self.name == '{EvaluationSpecValidator.KnownSuite}'", $"sha256 {EvaluationSpecValidator.AddressRule}; {EvaluationSpecValidator.DigestRemedy}", ".sha256"),
        CrdRule.Default($"{Path}.everyCheckpoints", 1),
        CrdRule.Range($"{Path}.everyCheckpoints", 1, int.MaxValue, "write 1 for every checkpoint"),
        CrdRule.Default($"{Path}.samples", 1),
        CrdRule.Range($"{Path}.samples", 1, EvaluationSpecValidator.MostSamples, "take at least one completion of each problem"),
        CrdRule.Cel($"{Path}.temperature", "self >= 0.0 && self <= 10.0", "must be from 0 to 10; write 0 for the likeliest token each time"),
        CrdRule.Cel(Path, "!has(self.temperature) || self.temperature > 0.0 || self.samples <= 1", "must be above 0 for several samples: they would all be the same; write 0.8, or samples: 1", ".temperature"),
        CrdRule.Cel($"{Path}.topP", "self > 0.0 && self <= 1.0", "must be above 0 and at most 1; write 1 to draw from all tokens"),
        CrdRule.Range($"{Path}.maxTokens", 1, EvaluationSpecValidator.MostTokens, "leave it out for 512"),
        CrdRule.Limit($"{Path}.k", EvaluationSpecValidator.MostK),
        CrdRule.Cel($"{Path}.k", "size(self) > 0", "must have at least one number; write [1], or leave it out"),
        CrdRule.Cel(Path, "!has(self.k) || self.k.all(k, k >= 1 && k <= self.samples)", "each must be from 1 to samples; lower it, or raise samples", ".k"),
        CrdRule.Cel($"{Path}.k", "self.all(k, self.exists_one(other, other == k))", "must have each number once; remove the other one"),
        CrdRule.Range($"{Path}.limit", 1, int.MaxValue, "leave it out for all problems"),
        CrdRule.Duration($"{Path}.timeLimit"),
        CrdRule.Range($"{Path}.threads", 1, EvaluationSpecValidator.MostThreads, "leave it out for 1"),
        CrdRule.Duration($"{Path}.waitAtEnd"),
    ];
}
