using System.CommandLine;
using Phi.Cli.Cluster;

namespace Phi.Cli.Commands;

/// <summary><c>phi sample</c>: text from a trained model. The training executable generates it; this names its options, and passes them on.</summary>
internal static class SampleCommand
{
    public static Command Create()
    {
        Option<string?>[] options =
        [
            new("--checkpoint") { Description = "A committed checkpoint such as …/step-00000300, or the folder that holds several: its newest good one." },
            new("--from-hf") { Description = "A Hugging Face phi folder, instead of a checkpoint." },
            new("--prompt") { Description = "Text to continue. Default: 'def '." },
            new("--prompt-file") { Description = "File whose text is continued." },
            new("--tokens") { Description = "Most tokens to generate. Default 200." },
            new("--temperature") { Description = "0 takes the likeliest token each time; more is more varied. Default 0.8." },
            new("--top-k") { Description = "Choose from so many of the likeliest tokens; 0: all. Default 40." },
            new("--top-p") { Description = "Choose from the fewest tokens whose probabilities sum to it. Default 1: all." },
            new("--seed") { Description = "The same seed gives the same text. Default 1." },
        ];
        var command = new Command("sample", "Print text from a trained model, as it is generated.");
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.SetAction(async (parse, cancellationToken) =>
        {
            using var interrupt = new InterruptSignal(cancellationToken);
            List<string> given = [.. options.Where(option => parse.GetValue(option) is not null).SelectMany(option => new[] { option.Name, parse.GetValue(option)! })];
            return await TrainerTool.RunAsync(["sample", .. given], interrupt.Token);
        });
        return command;
    }
}
