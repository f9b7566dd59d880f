using System.CommandLine;
using Phi.Cli.Commands.Corpus;

namespace Phi.Cli.Commands;

/// <summary><c>phi data</c>: text into shards of tokens, what is good enough for it, tokenizers, and the check of them.</summary>
internal static class DataCommands
{
    public static Command Create() => new("data", "Prepare text for training: label, filter, tokenize, check.")
    {
        PrepareCommand.Create(),
        ReportCommands.Report(),
        ReportCommands.Verify(),
        LabelCommand.Create(),
        FilterCommands.Train(),
        FilterCommands.Filter(),
        TrainTokenizerCommand.Create(),
    };
}
