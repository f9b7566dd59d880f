using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Phi.Data.Shards;

namespace Phi.Data.Quality.Classifier;

/// <summary>
/// A trained classifier: weights of hashed words and of style. Its file is JSON that holds numbers alone, so that one from someone else is safe
/// to read: nothing in it names code, and every length and range is checked.
/// </summary>
public sealed class QualityModel
{
    public const double DefaultThreshold = 0.5;
    private const string CurrentFormat = "phi-data-filter";
    private const int CurrentVersion = 1;
    private const int MostFileBytes = 4 << 20;
    private const double Largest = 1e6;
    /// <summary>How much a standard deviation of style weighs beside all words, whose length is 1.</summary>
    private const double StyleWeight = 0.2;
    private const double MostDeviations = 3;
    private readonly float[] _weights;
    private readonly StyleTerm[] _style;
    private readonly double _bias;

    private QualityModel(float[] weights, StyleTerm[] style, double bias, ModelTraining training, string digest) =>
        (_weights, _style, _bias, Training, Digest) = (weights, style, bias, training, digest);

    /// <summary>SHA-256 of its file, in lowercase hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>What it was trained on, and how well it did.</summary>
    public ModelTraining Training { get; }

    /// <exception cref="DataException">The file cannot be read, or is no such model.</exception>
    public static QualityModel Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > MostFileBytes)
            {
                throw Wrong(path, $"it has {stream.Length} bytes, and a model at most {MostFileBytes}");
            }

            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return Parse(path, content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"the filter's model {path} cannot be read: {e.Message} Put the file there, or make one with phi data train-filter.");
        }
    }

    /// <returns>How good the document is, 0 to 1: the probability that whoever labelled would call it good.</returns>
    public double Score(ReadOnlySpan<byte> content)
    {
        var (indices, values) = Row(TextFeatures.Of(content), _style);
        var margin = _bias;
        for (var i = 0; i < indices.Length; i++)
        {
            margin += (double)values[i] * (indices[i] < TextFeatures.BucketCount ? _weights[indices[i]] : _style[indices[i] - TextFeatures.BucketCount].Weight);
        }

        return LogisticRegression.Probability(margin);
    }

    /// <summary>Creates its folder if need be.</summary>
    public static void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var stream = File.Create(path + ".tmp"))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }

    internal static QualityModel Fit(IReadOnlyList<TextFeatures> examples, IReadOnlyList<bool> isGood, CancellationToken cancellationToken)
    {
        var style = TextStyle.Names.Select((name, i) => Standard(name, [.. examples.Select(example => example.Style[i])])).ToArray();
        var (weights, bias) = LogisticRegression.Fit([.. examples.Select(example => Row(example, style))], isGood, TextFeatures.BucketCount + style.Length, cancellationToken);
        var ofStyle = style.Select((term, i) => term with { Weight = weights[TextFeatures.BucketCount + i] }).ToArray();
        return new QualityModel(Array.ConvertAll(weights[..TextFeatures.BucketCount], one => (float)one), ofStyle, bias, ModelTraining.None, "");
    }

    /// <summary>The file's content: of the same model and training the same bytes.</summary>
    internal byte[] Serialize(ModelTraining training)
    {
        var bytes = new byte[_weights.Length * sizeof(float)];
        for (var i = 0; i < _weights.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), _weights[i]);
        }

        return JsonSerializer.SerializeToUtf8Bytes(
            new ModelFile { Format = CurrentFormat, Version = CurrentVersion, Training = training, Bias = _bias, Style = _style, Weights = bytes, WeightsSha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)) }, PreparedIndex.Json);
    }

    internal static QualityModel Parse(string path, byte[] content)
    {
        ModelFile? file;
        try
        {
            file = JsonSerializer.Deserialize<ModelFile>(content, PreparedIndex.Json);
        }
        catch (JsonException e)
        {
            throw Wrong(path, e.Message.TrimEnd('.'));
        }

        if (file is not { Format: CurrentFormat, Training: not null, Style: not null, Weights: not null })
        {
            throw Wrong(path, "it is of another format");
        }

        if (file.Version != CurrentVersion)
        {
            throw Wrong(path, $"it is of version {file.Version}, and this version of the program reads {CurrentVersion}");
        }

        if (file.Weights.Length != TextFeatures.BucketCount * sizeof(float) || !file.Style.Select(term => term?.Name).SequenceEqual(TextStyle.Names))
        {
            throw Wrong(path, $"it has {file.Weights.Length} bytes of weights and {file.Style.Length} terms of style, and must have {TextFeatures.BucketCount * sizeof(float)} and {TextStyle.Names.Count}");
        }

        if (Convert.ToHexStringLower(SHA256.HashData(file.Weights)) != file.WeightsSha256)
        {
            throw Wrong(path, "its weights have another SHA-256 than it says: the file is damaged");
        }

        var weights = new float[TextFeatures.BucketCount];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = BinaryPrimitives.ReadSingleLittleEndian(file.Weights.AsSpan(i * sizeof(float)));
        }

        if (!IsSmall(file.Bias) || !Array.TrueForAll(weights, weight => IsSmall(weight)) || !Array.TrueForAll(file.Style, term => IsSmall(term.Mean) && IsSmall(term.Weight) && term.Deviation is > 0 and < Largest))
        {
            throw Wrong(path, "a weight is no number, or a huge one");
        }

        return new QualityModel(weights, file.Style, file.Bias, file.Training, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    private static bool IsSmall(double value) => Math.Abs(value) < Largest;

    private static DataException Wrong(string path, string what) => new($"{path} is no model of phi data train-filter: {what}. Name another file, or train one.");

    private static StyleTerm Standard(string name, double[] values)
    {
        var mean = values.Sum() / values.Length;
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Length);
        return new StyleTerm(name, mean, Math.Max(deviation, 1e-6), 0);
    }

    private static (int[] Indices, float[] Values) Row(TextFeatures features, StyleTerm[] style)
    {
        var terms = style.Select((term, i) => (float)(StyleWeight * Math.Clamp((features.Style[i] - term.Mean) / term.Deviation, -MostDeviations, MostDeviations)));
        return ([.. features.Buckets, .. Enumerable.Range(TextFeatures.BucketCount, style.Length)], [.. features.Values, .. terms]);
    }

    private sealed record StyleTerm(string Name, double Mean, double Deviation, double Weight);

    private sealed record ModelFile
    {
        public string? Format { get; init; }
        public int Version { get; init; }
        public ModelTraining? Training { get; init; }
        public double Bias { get; init; }
        public StyleTerm[]? Style { get; init; }
        /// <summary>Little-endian, 32 bits each; base64 in JSON.</summary>
        public byte[]? Weights { get; init; }
        public string? WeightsSha256 { get; init; }
    }
}
