using System.CommandLine;
using Phi.Api.DeepSpeed;
using Phi.Cli.Jobs;
using Phi.Cli.Planning;

namespace Phi.Cli.Commands;

/// <summary><c>phi render deepspeed MANIFEST</c>: a job as another trainer's configuration.</summary>
internal static class RenderCommand
{
    public static Command Create() => new("render", "Write a job as another trainer reads it.") { DeepSpeed() };

    private static Command DeepSpeed()
    {
        var manifest = new Argument<string>("manifest") { Description = "A file with one TrainingJob; - for standard input." };
        var output = new Option<string?>("--output", "-o") { Description = "File to write. Default: standard output." };
        var command = new Command("deepspeed", "The job's zero block as DeepSpeed's JSON configuration. What DeepSpeed cannot do is told on standard error.") { manifest, output };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var path = parse.GetRequiredValue(manifest);
            var configuration = DeepSpeedRenderer.Render(PlannedJob.Read(ManifestFile.Read(path), path));
            foreach (var note in configuration.Notes)
            {
                await Console.Error.WriteLineAsync($"note: {note}");
            }

            await WriteAsync(parse.GetValue(output), configuration.ToText(), cancellationToken);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task WriteAsync(string? path, string text, CancellationToken ct)
    {
        if (path is null)
        {
            await Console.Out.WriteAsync(text.AsMemory(), ct);
            return;
        }

        // Whole or not at all: a job may be reading the file that was there.
        var temporary = path + ".tmp";
        try
        {
            await File.WriteAllTextAsync(temporary, text, ct);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            throw new CliException($"cannot write {path}: {e.Message}", ExitCodes.Usage);
        }
    }
}
