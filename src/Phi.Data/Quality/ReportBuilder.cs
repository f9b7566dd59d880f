using Phi.Data.Sources;

namespace Phi.Data.Quality;

/// <summary>Counts of one pass over the documents, in their order. Its memory does not grow with them.</summary>
internal sealed class ReportBuilder
{
    private const int Examples = 5;
    /// <summary>Of languages and licences each; further ones are counted together.</summary>
    private const int MostNames = 200;
    private const string Others = "(others)";
    private const string NoLicense = "(none named)";
    private readonly List<Removed> _removed;
    private readonly Dictionary<string, Tally> _languages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tally> _licenses = new(StringComparer.Ordinal);
    private readonly Tally _kept = new();
    private readonly Tally _unlicensed = new();
    /// <summary>Of the document before: most are of the same language.</summary>
    private (string Said, string Name, Tally Tally) _last = ("", "", new Tally());

    public ReportBuilder(QualityFilter? filter)
    {
        _removed = [new Removed(new FilterRule("duplicates", "the same bytes")), .. (filter?.Rules ?? []).Select(rule => new Removed(rule))];
        if (filter?.Inputs.NearDuplicates is { } similarity)
        {
            _removed.Add(new Removed(new FilterRule(QualityFilter.NearDuplicatesRule, FormattableString.Invariant($"Jaccard similarity at least {similarity}"))));
        }
    }

    public long Duplicates => _removed[0].Count.Documents;

    /// <summary>Left out by rules and as near duplicates.</summary>
    public long Filtered => _removed.Skip(1).Sum(rule => rule.Count.Documents);

    /// <summary>Duplicates included.</summary>
    public DocumentCount Read => new(_removed.Sum(rule => rule.Count.Documents) + _kept.Documents, _removed.Sum(rule => rule.Count.Bytes) + _kept.Bytes);

    public void Duplicate(SourceDocument document) => _removed[0].Add(document);

    /// <param name="rule">Index among the filter's rules.</param>
    public void Refused(SourceDocument document, int rule) => _removed[rule + 1].Add(document);

    public void NearDuplicate(SourceDocument document) => _removed[^1].Add(document);

    /// <returns>Name of its language in the report.</returns>
    public string Kept(SourceDocument document)
    {
        var bytes = document.Content.Length;
        _kept.Add(bytes);
        if (document.Facts.Licenses.Count == 0)
        {
            _unlicensed.Add(bytes);
        }
        else
        {
            foreach (var license in document.Facts.Licenses.Distinct(StringComparer.Ordinal))
            {
                _licenses[Bounded(_licenses, license)].Add(bytes);
            }
        }

        if (document.Language is var language && language != _last.Said)
        {
            var name = Bounded(_languages, language);
            _last = (language, name, _languages[name]);
        }

        _last.Tally.Add(bytes);
        return _last.Name;
    }

    /// <param name="tokens">By the names of languages; null: not known of all.</param>
    public PrepareReport Complete(int files, long trainingTokens, long heldOutTokens, IReadOnlyDictionary<string, long>? tokens)
    {
        var read = Read;
        return new PrepareReport
        {
            Files = files,
            Read = read,
            Kept = new DocumentCount(_kept.Documents, _kept.Bytes),
            TrainingTokens = trainingTokens,
            HeldOutTokens = heldOutTokens,
            LeftOut = [.. _removed.Select(rule => new RemovedDocuments(rule.Rule.Name, rule.Rule.Setting, rule.Count.Documents, rule.Count.Bytes, (double)rule.Count.Documents / Math.Max(1, read.Documents), rule.Names))],
            Languages = [.. Ordered(_languages).Select(one => new LanguageCount(one.Key, one.Value.Documents, one.Value.Bytes, tokens is null ? null : tokens.GetValueOrDefault(one.Key)))],
            Licenses = _licenses.Count > 0 ? [.. Ordered(_unlicensed.Documents == 0 ? _licenses : _licenses.Append(new(NoLicense, _unlicensed))).Select(one => new LicenseCount(one.Key, one.Value.Documents, one.Value.Bytes))] : [],
        };
    }

    private static string Bounded(Dictionary<string, Tally> tallies, string name)
    {
        name = tallies.Count < MostNames || tallies.ContainsKey(name) ? name : Others;
        tallies.TryAdd(name, new Tally());
        return name;
    }

    private static IEnumerable<KeyValuePair<string, Tally>> Ordered(IEnumerable<KeyValuePair<string, Tally>> tallies) => tallies.OrderByDescending(one => one.Value.Documents).ThenBy(one => one.Key, StringComparer.Ordinal);

    private sealed class Tally
    {
        public long Documents { get; private set; }

        public long Bytes { get; private set; }

        public void Add(int bytes) => (Documents, Bytes) = (Documents + 1, Bytes + bytes);
    }

    private sealed class Removed(FilterRule rule)
    {
        public FilterRule Rule => rule;

        public Tally Count { get; } = new();

        public List<string> Names { get; } = [];

        public void Add(SourceDocument document)
        {
            Count.Add(document.Content.Length);
            if (Names.Count < Examples)
            {
                Names.Add(document.Name);
            }
        }
    }
}
