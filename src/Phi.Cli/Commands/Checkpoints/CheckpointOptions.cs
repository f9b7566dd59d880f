using System.CommandLine;
using System.Globalization;
using Phi.Cli.Cluster;
using Phi.Cli.Completion;
using Phi.Cli.Output;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary>What the commands on checkpoints have in common: how one is named, and in which form the answer is given.</summary>
internal sealed class CheckpointOptions
{
    private readonly ClusterOptions _cluster = new();
    private readonly Option<string> _output;

    /// <param name="isListing">The command lists checkpoints, in every form that listings have.</param>
    public CheckpointOptions(bool isListing = false) => _output = isListing ? OutputFormat.Listing() : Output();

    /// <summary>A checkpoint, or the root of several.</summary>
    public static Argument<string> Location(string name = "checkpoint", string what = "A checkpoint") => new Argument<string>(name)
    {
        Description = $"{what}: a folder or address such as …/step-00000300, the one that holds several, or job/NAME[@STEP].",
    }.Completing(CompletionKind.Checkpoint);

    public static Option<string> To(string what) => new Option<string>("--to") { Description = what, Required = true }.Completing(CompletionKind.File);

    public static Option<long> Whole(string name, string description, long standard, long least, long most = long.MaxValue)
    {
        var option = new Option<long>(name) { Description = $"{description} Default {standard}.", DefaultValueFactory = _ => standard };
        Limit(option, least, most);
        return option;
    }

    public static void Limit<T>(Option<T> option, long least, long most = long.MaxValue) => option.Validators.Add(result =>
    {
        // Text that is no number has its own error; reading the value would throw here.
        if (result.Tokens is [var given] && long.TryParse(given.Value, CultureInfo.InvariantCulture, out var number) && (number < least || number > most))
        {
            result.AddError($"{option.Name} is {given.Value}; it must be at least {least}{(most < long.MaxValue ? $" and at most {most}" : "")}.");
        }
    });

    public void AddTo(Command command)
    {
        AddOutput(command);
        _cluster.AddTo(command);
    }

    /// <summary>For commands that name no job.</summary>
    public void AddOutput(Command command) => command.Add(_output);

    public bool IsJson(ParseResult parse) => parse.GetValue(_output) == "json";

    public string Format(ParseResult parse) => parse.GetRequiredValue(_output);

    /// <summary>The cluster that job/NAME is in.</summary>
    public ClusterSession Open(ParseResult parse) => _cluster.Open(parse);

    private static Option<string> Output()
    {
        var option = new Option<string>("--output", "-o") { Description = "table or json.", DefaultValueFactory = _ => "table" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("table" or "json") and var given }])
            {
                result.AddError($"--output is '{given}'; it must be table or json. Where to write is named by --to.");
            }
        });
        return option;
    }
}
