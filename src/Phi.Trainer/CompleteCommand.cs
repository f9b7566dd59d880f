using System.CommandLine;
using Phi.Trainer.Completions;
using Phi.Training.Generation;

namespace Phi.Trainer;

/// <summary><c>phi-trainer complete</c>: completions of a file of prompts, for an evaluation.</summary>
internal static class CompleteCommand
{
    public static Command Create()
    {
        var defaults = new CompleteOptions();
        var prompts = new Option<string?>("--prompts") { Description = "Prompts, one JSON object a line: {\"id\", \"prompt\", \"stop\": [...]}." };
        var output = new Option<string?>("--output") { Description = "Gets a line for each completion; one that is there is continued: {\"id\", \"sample\", \"completion\", \"tokens\", \"finish\"}." };
        var checkpoint = new Option<string?>("--checkpoint") { Description = "A committed checkpoint such as …/step-00000300, or the folder that holds several: its newest good one." };
        var huggingFace = new Option<string?>("--from-hf") { Description = "A Hugging Face phi folder, instead of a checkpoint." };
        var samples = new Option<int>("--samples") { Description = "Completions of each prompt. Default 1.", DefaultValueFactory = _ => defaults.Samples };
        var tokens = new Option<int>("--max-tokens") { Description = "Most tokens of a completion. Default 256.", DefaultValueFactory = _ => defaults.MaxTokens };
        var batch = new Option<int>("--batch-size") { Description = "Completions at once; what they are does not depend on it. Default 16.", DefaultValueFactory = _ => defaults.BatchSize };
        var temperature = new Option<double>("--temperature") { Description = "0 takes the likeliest token each time; more is more varied. Default 0.8.", DefaultValueFactory = _ => defaults.Sampling.Temperature };
        var topK = new Option<int>("--top-k") { Description = "Choose from so many of the likeliest tokens; 0: all. Default 40.", DefaultValueFactory = _ => defaults.Sampling.TopK };
        var topP = new Option<double>("--top-p") { Description = "Choose from the fewest tokens whose probabilities sum to it. Default 1: all.", DefaultValueFactory = _ => defaults.Sampling.TopP };
        var seed = new Option<long>("--seed") { Description = "The same seed gives the same completions. Default 1.", DefaultValueFactory = _ => defaults.Sampling.Seed };
        var cut = new Option<bool>("--cut-prompts") { Description = "A prompt that is too long for the model loses its begin. Without it, it is refused." };
        var device = new Option<string>("--device") { Description = "cpu, or a GPU: cuda, cuda:0, … Default cpu.", DefaultValueFactory = _ => defaults.Device };
        var command = new Command("complete", "Complete every prompt of a file, many at once.") { prompts, output, checkpoint, huggingFace, samples, tokens, batch, temperature, topK, topP, seed, cut, device };
        command.SetAction(parse => CompleteProgram.Run(
            new CompleteOptions
            {
                Prompts = parse.GetValue(prompts),
                Output = parse.GetValue(output),
                Checkpoint = parse.GetValue(checkpoint),
                HuggingFace = parse.GetValue(huggingFace),
                Samples = parse.GetValue(samples),
                MaxTokens = parse.GetValue(tokens),
                BatchSize = parse.GetValue(batch),
                Sampling = new SamplingOptions { Temperature = parse.GetValue(temperature), TopK = parse.GetValue(topK), TopP = parse.GetValue(topP), Seed = parse.GetValue(seed) },
                CutsPrompts = parse.GetValue(cut),
                Device = parse.GetValue(device)!,
            },
            Console.Error,
            Console.Error));
        return command;
    }
}
