using System.CommandLine;
using Phi.Data;

namespace Phi.Cli.Commands.Corpus;

/// <summary>What the commands of <c>phi data</c> share.</summary>
internal static class CorpusOptions
{
    public static Option<string[]> Sources() => new("--sources")
    {
        Description = "Files, folders and globs with * and **. .jsonl, .ndjson, .json.gz and .parquet hold many documents; any other file is one.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    public static Option<string> TextField() => new("--text-field") { Description = "Field of JSON lines, or column of Parquet files, with the text. Default text.", DefaultValueFactory = _ => "text" };

    public static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true };

    public static Option<long> Seed(string description) => new("--seed") { Description = $"{description} Default 1.", DefaultValueFactory = _ => 1 };

    public static string[] Absolute(string[] sources) => Array.ConvertAll(sources, source => source.Contains("://", StringComparison.Ordinal) ? source : Path.GetFullPath(source));

    public static async Task<int> GuardedAsync(Func<Task> action)
    {
        try
        {
            await action();
            return ExitCodes.Succeeded;
        }
        catch (DataException e)
        {
            throw new CliException(e.Message, ExitCodes.InvalidData);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The output: what is wrong with a source is said above.
            throw new CliException($"{e.Message} Name a folder that can be written to, with space enough.", ExitCodes.Error);
        }
    }
}
