namespace Phi.Evaluation.Scoring;

/// <summary>The chance that of k samples at least one passes.</summary>
public static class PassAtK
{
    /// <summary>
    /// The unbiased estimate of one problem, 1 − C(n−c, k) / C(n, k), as a product that does not overflow (arXiv 2107.03374, section 2.1).
    /// </summary>
    /// <param name="samples">n, at least k.</param>
    /// <param name="passed">c, from 0 to n.</param>
    public static double Estimate(int samples, int passed, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, k);
        ArgumentOutOfRangeException.ThrowIfNegative(passed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(passed, samples);
        if (samples - passed < k)
        {
            return 1;
        }

        var none = 1.0;
        for (var i = samples - passed + 1; i <= samples; i++)
        {
            none *= 1 - ((double)k / i);
        }

        return 1 - none;
    }

    /// <summary>The mean over problems.</summary>
    /// <exception cref="EvaluationException">A problem has fewer than k samples.</exception>
    public static double Mean(IReadOnlyCollection<(int Samples, int Passed)> problems, int k)
    {
        var fewest = problems.Count == 0 ? 0 : problems.Min(one => one.Samples);
        return fewest >= k
            ? problems.Average(one => Estimate(one.Samples, one.Passed, k))
            : throw new EvaluationException($"pass@{k} needs at least {k} samples of every problem; one has {fewest}. Ask for a smaller k, or for more samples.");
    }
}
