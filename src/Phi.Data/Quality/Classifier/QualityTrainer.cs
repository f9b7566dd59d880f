using System.Security.Cryptography;
using System.Text;

namespace Phi.Data.Quality.Classifier;

/// <summary>Trains a model on a file of labels, and measures one of its kind on labels that were kept apart.</summary>
public static class QualityTrainer
{
    public const double DefaultHeldOutFraction = 0.2;
    /// <summary>Of each class.</summary>
    public const int LeastLabels = 10;
    public const int MostLabels = 50_000;
    /// <summary>With fewer, a part kept apart says little: each label is measured once, by a model that the others trained.</summary>
    private const int FewLabels = 200;
    private const int Folds = 5;

    /// <summary>The same labels and seed give the same bytes.</summary>
    /// <param name="name">What the user calls the labels, for messages.</param>
    /// <param name="heldOutFraction">Above 0, at most 0.5. Of fewer than 200 labels nothing is held out: they are cross-validated.</param>
    /// <returns>The model's file. It has learned from all labels, those included that one of its kind was measured on.</returns>
    /// <exception cref="DataException">There are too few labels, or of one class alone.</exception>
    public static (byte[] Model, ModelTraining Training) Train(IReadOnlyList<LabelledDocument> labels, string name, long seed, double heldOutFraction, CancellationToken cancellationToken)
    {
        if (heldOutFraction is not (> 0 and <= 0.5))
        {
            throw new DataException(FormattableString.Invariant($"the held-out fraction of the labels is {heldOutFraction}; it must be above 0 and at most 0.5. Leave it out for {DefaultHeldOutFraction}."));
        }

        // Sorted, so that the order in which the labels were given changes nothing.
        var given = labels.Where(one => one.IsGood is not null).OrderBy(one => one.Id, StringComparer.Ordinal).ToList();
        var good = given.Count(one => one.IsGood == true);
        CheckCounts(name, good, given.Count - good);
        var examples = given.Select(one => TextFeatures.Of(Encoding.UTF8.GetBytes(one.Text))).ToList();
        var isGood = given.Select(one => one.IsGood == true).ToList();
        var contents = given.Select(one => Encoding.UTF8.GetBytes(one.Text)).ToList();
        var parts = Parts(given, seed, heldOutFraction);
        var judged = new List<(bool IsGood, double Score)>();
        foreach (var part in parts)
        {
            var apart = part.ToHashSet();
            var others = Enumerable.Range(0, given.Count).Where(i => !apart.Contains(i)).ToList();
            var model = QualityModel.Fit([.. others.Select(i => examples[i])], [.. others.Select(i => isGood[i])], cancellationToken);
            judged.AddRange(part.Select(i => (isGood[i], model.Score(contents[i]))));
        }

        var method = parts.Count > 1 ? $"{parts.Count}-fold cross-validation" : FormattableString.Invariant($"{parts[0].Count} labels kept apart ({heldOutFraction} of each class)");
        var thresholds = Enumerable.Range(1, 9).Select(tenth => new ThresholdResult(tenth / 10.0, Confusion.Of(judged, tenth / 10.0)));
        var training = new ModelTraining(
            good, given.Count - good, seed, DigestOf(given), method, Confusion.Of(judged, QualityModel.DefaultThreshold), Confusion.Of(judged.Select(one => (one.IsGood, good * 2 >= given.Count ? 1.0 : 0.0)), 0.5), [.. thresholds]);
        return (QualityModel.Fit(examples, isGood, cancellationToken).Serialize(training), training);
    }

    private static void CheckCounts(string name, int good, int bad)
    {
        if (good + bad > MostLabels)
        {
            throw new DataException($"{name} has {good + bad} labels; a model is trained on at most {MostLabels}. Leave some out.");
        }

        if (good < LeastLabels || bad < LeastLabels)
        {
            var (few, other) = good < bad ? ("good", "bad") : ("bad", "good");
            var rule = Math.Min(good, bad) == 0 ? $"all are {other}, and a model needs examples of both" : $"a model needs at least {LeastLabels} of each";
            throw new DataException($"{name} has {good} good and {bad} bad labels; {rule}. Label more {few} documents with phi data label.");
        }
    }

    /// <summary>The examples to measure on, in one part or in folds; of each class each has its share.</summary>
    private static List<List<int>> Parts(List<LabelledDocument> given, long seed, double heldOutFraction)
    {
        var folds = given.Count < FewLabels ? Folds : 1;
        var parts = Enumerable.Range(0, folds).Select(_ => new List<int>()).ToList();
        foreach (var same in Enumerable.Range(0, given.Count).GroupBy(i => given[i].IsGood))
        {
            var shuffled = same.OrderBy(i => Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"{seed} {given[i].Id}")))), StringComparer.Ordinal).ToList();
            var count = folds > 1 ? shuffled.Count : Math.Max(1, (int)Math.Round(shuffled.Count * heldOutFraction));
            for (var i = 0; i < count; i++)
            {
                parts[i % folds].Add(shuffled[i]);
            }
        }

        return parts;
    }

    private static string DigestOf(List<LabelledDocument> given) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(given.Select(one => $"{one.Id} {one.IsGood}\n")))));
}
