namespace Phi.Data.Quality.Classifier;

/// <summary>What a model was trained on and how well one like it did on labels that it had not seen.</summary>
/// <param name="Labels">SHA-256 over the labelled texts and their labels in their order, in lowercase hexadecimal.</param>
/// <param name="Method">How the labels to measure on were kept apart.</param>
/// <param name="Measured">At <see cref="QualityModel.DefaultThreshold"/>.</param>
/// <param name="Baseline">Of calling every document what most are.</param>
/// <param name="Thresholds">The same model at others.</param>
public sealed record ModelTraining(int Good, int Bad, long Seed, string Labels, string Method, Confusion Measured, Confusion Baseline, IReadOnlyList<ThresholdResult> Thresholds)
{
    internal static readonly ModelTraining None = new(0, 0, 0, "", "", new Confusion(0, 0, 0, 0), new Confusion(0, 0, 0, 0), []);
}

public sealed record ThresholdResult(double Threshold, Confusion Measured);

/// <summary>How often a model and the labels agree; good is the positive class.</summary>
/// <param name="TruePositives">Good, and called good.</param>
/// <param name="FalsePositives">Bad, and called good.</param>
/// <param name="FalseNegatives">Good, and called bad.</param>
/// <param name="TrueNegatives">Bad, and called bad.</param>
public sealed record Confusion(int TruePositives, int FalsePositives, int FalseNegatives, int TrueNegatives)
{
    /// <summary>Share of good ones among those called good; 0 where none is.</summary>
    public double Precision => Share(TruePositives, TruePositives + FalsePositives);

    /// <summary>Share of the good ones that are called good.</summary>
    public double Recall => Share(TruePositives, TruePositives + FalseNegatives);

    public double F1 => Share(2 * TruePositives, 2 * TruePositives + FalsePositives + FalseNegatives);

    public double Accuracy => Share(TruePositives + TrueNegatives, TruePositives + FalsePositives + FalseNegatives + TrueNegatives);

    internal static Confusion Of(IEnumerable<(bool IsGood, double Score)> judged, double threshold)
    {
        var (truePositives, falsePositives, falseNegatives, trueNegatives) = (0, 0, 0, 0);
        foreach (var (isGood, score) in judged)
        {
            truePositives += isGood && score >= threshold ? 1 : 0;
            falsePositives += !isGood && score >= threshold ? 1 : 0;
            falseNegatives += isGood && score < threshold ? 1 : 0;
            trueNegatives += !isGood && score < threshold ? 1 : 0;
        }

        return new Confusion(truePositives, falsePositives, falseNegatives, trueNegatives);
    }

    private static double Share(int part, int all) => all == 0 ? 0 : (double)part / all;
}
