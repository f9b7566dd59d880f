using System.Globalization;
using Phi.Data.Quality.Classifier;
using Phi.Data.Shards;
using Phi.Data.Sources;

namespace Phi.Data.Quality;

/// <summary>The rules of a preparation, opened: the model is read and Python runs. Rules look at one document alone; near duplicates are told apart by order, elsewhere.</summary>
internal sealed class QualityFilter : IDisposable
{
    public const string NearDuplicatesRule = "near-duplicates";
    private readonly PythonParser? _python;
    private readonly List<(FilterRule Named, Func<Candidate, CancellationToken, ValueTask<bool>> Keeps)> _rules = [];

    private QualityFilter(FilterOptions options, PythonParser? python, QualityModel? model)
    {
        _python = python;
        Inputs = new PreparedFilter
        {
            OnlyText = options.OnlyText,
            MinBytes = options.MinBytes,
            MaxBytes = options.MaxBytes,
            MaxLineLength = options.MaxLineLength,
            MaxMeanLineLength = options.MaxMeanLineLength,
            MinAlphanumeric = options.MinAlphanumeric,
            MinComments = options.MinComments,
            MaxComments = options.MaxComments,
            Python = python?.Version,
            Model = model?.Digest,
            Threshold = model is null ? null : options.Threshold ?? QualityModel.DefaultThreshold,
            NearDuplicates = options.NearDuplicates,
        };
        AddRules(Inputs, python, model);
    }

    /// <summary>What the rules are, as the prepared folder has it.</summary>
    public PreparedFilter Inputs { get; }

    /// <summary>In the order in which they are applied: a document is counted for the first that leaves it out.</summary>
    public IReadOnlyList<FilterRule> Rules => [.. _rules.Select(rule => rule.Named)];

    /// <returns>Null: no rule is on.</returns>
    /// <exception cref="DataException">A value is out of its range, the model cannot be read, or there is no python3.</exception>
    public static async Task<QualityFilter?> OpenAsync(FilterOptions options, CancellationToken cancellationToken)
    {
        options.Check();
        if (options == new FilterOptions())
        {
            return null;
        }

        var model = options.Model is { } path ? QualityModel.Read(path) : null;
        return new QualityFilter(options, options.PythonParses ? await PythonParser.StartAsync(cancellationToken) : null, model);
    }

    /// <returns>Index of the first rule that leaves the document out; null if all keep it.</returns>
    public async ValueTask<int?> RefusedByAsync(SourceDocument document, CancellationToken cancellationToken)
    {
        var candidate = new Candidate(document);
        for (var i = 0; i < _rules.Count; i++)
        {
            if (!await _rules[i].Keeps(candidate, cancellationToken))
            {
                return i;
            }
        }

        return null;
    }

    public void Dispose() => _python?.Dispose();

    private void AddRules(PreparedFilter on, PythonParser? python, QualityModel? model)
    {
        Add("only-text", on.OnlyText ? "on" : null, one => one.Text.IsText);
        Add("min-bytes", on.MinBytes, one => one.Document.Content.Length >= on.MinBytes);
        Add("max-bytes", on.MaxBytes, one => one.Document.Content.Length <= on.MaxBytes);
        Add("max-line-length", on.MaxLineLength, one => one.Text.LongestLine <= on.MaxLineLength);
        Add("max-mean-line-length", on.MaxMeanLineLength, one => one.Text.MeanLine <= on.MaxMeanLineLength);
        Add("min-alphanumeric", on.MinAlphanumeric, one => one.Text.AlphanumericShare >= on.MinAlphanumeric);
        Add("min-comments", on.MinComments, one => !one.Document.MayBePython || one.Python.CommentShare >= on.MinComments);
        Add("max-comments", on.MaxComments, one => !one.Document.MayBePython || one.Python.CommentShare <= on.MaxComments);
        if (python is not null)
        {
            _rules.Add((new FilterRule("python-parses", $"Python {python.Version}"), async (one, cancel) => !one.Document.MayBePython || await python.ParsesAsync(one.Document.Content, one.Document.Name, cancel)));
        }

        if (model is not null)
        {
            Add("filter", FormattableString.Invariant($"score at least {on.Threshold}"), one => model.Score(one.Document.Content) >= on.Threshold);
        }

        void Add(string name, object? setting, Func<Candidate, bool> keeps)
        {
            if (setting is not null)
            {
                _rules.Add((new FilterRule(name, Convert.ToString(setting, CultureInfo.InvariantCulture)!), (one, _) => ValueTask.FromResult(keeps(one))));
            }
        }
    }

    /// <summary>A document, measured where a rule asks.</summary>
    private sealed class Candidate(SourceDocument document)
    {
        private TextMeasure? _text;
        private PythonMeasure? _python;

        public SourceDocument Document => document;

        public TextMeasure Text => _text ??= TextMeasure.Of(document.Content);

        public PythonMeasure Python => _python ??= PythonMeasure.Of(document.Content);
    }
}
