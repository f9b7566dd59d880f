namespace Phi.Data.Quality.Classifier;

/// <summary>
/// Logistic regression with an L2 penalty, by accelerated gradient descent (Nesterov, for strongly convex functions) at a fixed rate. One
/// thread and one order of every sum: the same examples give the same weights.
/// </summary>
internal static class LogisticRegression
{
    /// <summary>Inverse of the penalty: 1 / (λ × examples), as liblinear's C.</summary>
    private const double Cost = 10;
    private const int MostIterations = 1000;
    /// <summary>Least change of a weight that goes on.</summary>
    private const double Tolerance = 1e-5;

    /// <param name="rows">Indices below the number of weights, and values, of each example.</param>
    /// <param name="isGood">Of each example.</param>
    /// <param name="size">Weights, without the bias.</param>
    /// <returns>The weights, and the bias, which has no penalty.</returns>
    public static (double[] Weights, double Bias) Fit(IReadOnlyList<(int[] Indices, float[] Values)> rows, IReadOnlyList<bool> isGood, int size, CancellationToken cancellationToken)
    {
        // The last weight is the bias.
        var (weights, ahead, gradient) = (new double[size + 1], new double[size + 1], new double[size + 1]);
        var penalty = 1 / (Cost * rows.Count);
        var curvature = 0.25 * rows.Max(row => 1 + row.Values.Sum(value => (double)value * value)) + penalty;
        var root = Math.Sqrt(penalty / curvature);
        var momentum = (1 - root) / (1 + root);
        for (var iteration = 0; iteration < MostIterations; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Gradient(rows, isGood, ahead, penalty, gradient);
            var change = 0.0;
            for (var i = 0; i <= size; i++)
            {
                var next = ahead[i] - gradient[i] / curvature;
                var step = next - weights[i];
                change = Math.Max(change, Math.Abs(step));
                ahead[i] = next + momentum * step;
                weights[i] = next;
            }

            if (change < Tolerance)
            {
                break;
            }
        }

        return (weights[..size], weights[size]);
    }

    public static double Probability(double margin) => margin >= 0 ? 1 / (1 + Math.Exp(-margin)) : Math.Exp(margin) / (1 + Math.Exp(margin));

    private static void Gradient(IReadOnlyList<(int[] Indices, float[] Values)> rows, IReadOnlyList<bool> isGood, double[] at, double penalty, double[] gradient)
    {
        for (var i = 0; i < at.Length - 1; i++)
        {
            gradient[i] = penalty * at[i];
        }

        gradient[^1] = 0;
        for (var row = 0; row < rows.Count; row++)
        {
            var (indices, values) = rows[row];
            var margin = at[^1];
            for (var i = 0; i < indices.Length; i++)
            {
                margin += at[indices[i]] * values[i];
            }

            var error = (Probability(margin) - (isGood[row] ? 1 : 0)) / rows.Count;
            for (var i = 0; i < indices.Length; i++)
            {
                gradient[indices[i]] += error * values[i];
            }

            gradient[^1] += error;
        }
    }
}
