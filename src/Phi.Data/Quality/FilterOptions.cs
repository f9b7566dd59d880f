namespace Phi.Data.Quality;

/// <summary>Which documents to leave out. Null or false: the rule is off; all of them are by default.</summary>
public sealed record FilterOptions
{
    /// <summary>Leave out what is not UTF-8, or has a NUL: binary files.</summary>
    public bool OnlyText { get; init; }

    /// <summary>At least 1.</summary>
    public long? MinBytes { get; init; }

    /// <summary>At least 1.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Characters of the longest line, at least 1.</summary>
    public long? MaxLineLength { get; init; }

    /// <summary>Characters of a line on average, above 0.</summary>
    public double? MaxMeanLineLength { get; init; }

    /// <summary>Least share of letters and digits among the characters, 0 to 1.</summary>
    public double? MinAlphanumeric { get; init; }

    /// <summary>Least share of comments and docstrings in Python, 0 to 1.</summary>
    public double? MinComments { get; init; }

    /// <summary>Greatest share of comments and docstrings in Python, 0 to 1.</summary>
    public double? MaxComments { get; init; }

    /// <summary>Leave out Python that <c>python3</c> does not parse.</summary>
    public bool PythonParses { get; init; }

    /// <summary>Path of a model of <c>phi data train-filter</c>.</summary>
    public string? Model { get; init; }

    /// <summary>Least score by the model, 0 to 1. Default 0.5.</summary>
    public double? Threshold { get; init; }

    /// <summary>Leave out documents this similar to an earlier one: Jaccard similarity of their shingles, 0.5 to 1.</summary>
    public double? NearDuplicates { get; init; }

    /// <exception cref="DataException">A value is out of its range, or two contradict each other.</exception>
    internal void Check()
    {
        AtLeastOne("the least bytes of a document (min-bytes)", MinBytes);
        AtLeastOne("the most bytes of a document (max-bytes)", MaxBytes);
        AtLeastOne("the longest line (max-line-length)", MaxLineLength);
        if (MaxMeanLineLength is { } mean && !(mean > 0 && double.IsFinite(mean)))
        {
            throw new DataException(FormattableString.Invariant($"the mean line length (max-mean-line-length) is {mean}; it must be above 0. Write 100 for code, or leave it out."));
        }

        Share("the least share of letters and digits (min-alphanumeric)", MinAlphanumeric, 0);
        Share("the least share of comments (min-comments)", MinComments, 0);
        Share("the greatest share of comments (max-comments)", MaxComments, 0);
        Share("the threshold of the filter's model (filter-threshold)", Threshold, 0);
        Share("the similarity of near duplicates (near-duplicates)", NearDuplicates, 0.5);
        Ordered("bytes", MinBytes, MaxBytes);
        Ordered("comments", MinComments, MaxComments);
        if (Threshold is { } threshold && Model is null)
        {
            throw new DataException(FormattableString.Invariant($"the filter's threshold is {threshold}, and there is no model that scores. Name one (--filter MODEL, made by phi data train-filter), or leave the threshold out."));
        }
    }

    private static void AtLeastOne(string name, long? value)
    {
        if (value < 1)
        {
            throw new DataException(FormattableString.Invariant($"{name} is {value}; it must be at least 1. Leave it out for no such rule."));
        }
    }

    private static void Share(string name, double? value, double least)
    {
        if (value is { } given && !(given >= least && given <= 1))
        {
            throw new DataException(FormattableString.Invariant($"{name} is {given}; it must be from {least} to 1. Leave it out for no such rule."));
        }
    }

    private static void Ordered(string what, double? least, double? most)
    {
        if (least > most)
        {
            throw new DataException(FormattableString.Invariant($"min-{what} is {least} and max-{what} is {most}: no document can be both. Lower the first, or raise the second."));
        }
    }
}
