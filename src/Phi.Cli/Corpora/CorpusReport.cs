using Phi.Data.Quality;
using Phi.Data.Shards;

namespace Phi.Cli.Corpora;

/// <summary>What a prepared folder holds, and what was left out of it.</summary>
/// <param name="Quality">Null in a folder that an earlier version of the program prepared.</param>
internal sealed record CorpusReport(string Folder, long Documents, long Duplicates, CorpusSide Training, CorpusSide HeldOut, string Tokenizer, int VocabularySize, PreparedFilter? Filter, PrepareReport? Quality)
{
    /// <exception cref="Phi.Data.DataException">The report that the index names cannot be read.</exception>
    public static CorpusReport Of(string folder, PreparedIndex index) => new(
        folder, index.Documents, index.Duplicates, Side(index.Training), Side(index.HeldOut), index.Inputs.TokenizerKind, index.VocabularySize, index.Inputs.Filter,
        index.ReportSha256 is null ? null : PrepareReport.Open(folder));

    private static CorpusSide Side(SideIndex side) => new(side.Tokens, side.Shards.Count, side.Digest);
}

/// <param name="Digest">See <see cref="SideIndex.Digest"/>.</param>
internal sealed record CorpusSide(long Tokens, int Shards, string Digest);
