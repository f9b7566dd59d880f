using System.CommandLine;
using Phi.Trainer.Sampling;
using Phi.Training.Generation;

namespace Phi.Trainer;

/// <summary><c>phi-trainer sample</c>; <c>phi sample</c> passes its options on to it.</summary>
internal static class SampleCommand
{
    public static Command Create()
    {
        var defaults = new SampleOptions();
        var checkpoint = new Option<string?>("--checkpoint");
        var huggingFace = new Option<string?>("--from-hf");
        var prompt = new Option<string?>("--prompt");
        var promptFile = new Option<string?>("--prompt-file");
        var tokens = new Option<int>("--tokens") { DefaultValueFactory = _ => defaults.Tokens };
        var temperature = new Option<double>("--temperature") { DefaultValueFactory = _ => defaults.Sampling.Temperature };
        var topK = new Option<int>("--top-k") { DefaultValueFactory = _ => defaults.Sampling.TopK };
        var topP = new Option<double>("--top-p") { DefaultValueFactory = _ => defaults.Sampling.TopP };
        var seed = new Option<long>("--seed") { DefaultValueFactory = _ => defaults.Sampling.Seed };
        var command = new Command("sample", "Print text from a trained model; see phi sample.") { checkpoint, huggingFace, prompt, promptFile, tokens, temperature, topK, topP, seed };
        command.SetAction(parse => SampleProgram.Run(
            new SampleOptions
            {
                Checkpoint = parse.GetValue(checkpoint),
                HuggingFace = parse.GetValue(huggingFace),
                Prompt = parse.GetValue(prompt),
                PromptFile = parse.GetValue(promptFile),
                Tokens = parse.GetValue(tokens),
                Sampling = new SamplingOptions { Temperature = parse.GetValue(temperature), TopK = parse.GetValue(topK), TopP = parse.GetValue(topP), Seed = parse.GetValue(seed) },
            },
            Console.Out));
        return command;
    }
}
