using System.CommandLine;
using Phi.Data.Quality;

namespace Phi.Cli.Commands.Corpus;

/// <summary>The rules of <c>phi data prepare</c>.</summary>
internal sealed class QualityOptions
{
    private readonly Option<bool> _onlyText = new("--only-text") { Description = "Leave out documents that are not UTF-8 or have a NUL: binary files." };
    private readonly Option<long?> _minBytes = new("--min-bytes") { Description = "Least bytes of a document." };
    private readonly Option<long?> _maxBytes = new("--max-bytes") { Description = "Most bytes of a document." };
    private readonly Option<long?> _maxLineLength = new("--max-line-length") { Description = "Most characters of the longest line; 1000 for code." };
    private readonly Option<double?> _maxMeanLineLength = new("--max-mean-line-length") { Description = "Most characters of a line on average; 100 for code." };
    private readonly Option<double?> _minAlphanumeric = new("--min-alphanumeric") { Description = "Least share of letters and digits among the characters, 0 to 1; 0.25 for code." };
    private readonly Option<double?> _minComments = new("--min-comments") { Description = "Least share of comments and docstrings in Python, 0 to 1." };
    private readonly Option<double?> _maxComments = new("--max-comments") { Description = "Greatest share of comments and docstrings in Python, 0 to 1." };
    private readonly Option<bool> _pythonParses = new("--python-parses") { Description = "Leave out Python that python3, which must be on the PATH, does not parse. Nothing of it is run." };
    private readonly Option<string?> _filter = new("--filter") { Description = "Leave out what this model of phi data train-filter scores low." };
    private readonly Option<double?> _threshold = new("--filter-threshold") { Description = "Least score by the model, 0 to 1. Default 0.5." };
    private readonly Option<double?> _nearDuplicates = new("--near-duplicates") { Description = "Leave out documents this similar to an earlier one: Jaccard similarity of their runs of five words, 0.5 to 1; 0.85 for code. Default: only the same bytes are duplicates." };

    private IEnumerable<Option> All =>
        [_onlyText, _minBytes, _maxBytes, _maxLineLength, _maxMeanLineLength, _minAlphanumeric, _minComments, _maxComments, _pythonParses, _filter, _threshold, _nearDuplicates];

    public void AddTo(Command command)
    {
        foreach (var option in All)
        {
            command.Add(option);
        }
    }

    public FilterOptions Read(ParseResult parse) => new()
    {
        OnlyText = parse.GetValue(_onlyText),
        MinBytes = parse.GetValue(_minBytes),
        MaxBytes = parse.GetValue(_maxBytes),
        MaxLineLength = parse.GetValue(_maxLineLength),
        MaxMeanLineLength = parse.GetValue(_maxMeanLineLength),
        MinAlphanumeric = parse.GetValue(_minAlphanumeric),
        MinComments = parse.GetValue(_minComments),
        MaxComments = parse.GetValue(_maxComments),
        PythonParses = parse.GetValue(_pythonParses),
        Model = parse.GetValue(_filter) is { } model ? Path.GetFullPath(model) : null,
        Threshold = parse.GetValue(_threshold),
        NearDuplicates = parse.GetValue(_nearDuplicates),
    };
}
