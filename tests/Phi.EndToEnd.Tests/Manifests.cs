using System.Globalization;

namespace Phi.EndToEnd.Tests;

/// <summary>A job small enough to train in seconds: two pods of two ranks, one layer, hidden size 32.</summary>
internal static class Manifests
{
    public static string Tiny(string name, string corpus, int steps = 60, int everySteps = 10, int maxRestarts = 3) => string.Create(CultureInfo.InvariantCulture, $$$"""
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata:
          name: {{{name}}}
        spec:
          replicas: 2
          accelerator: {type: cpu, perReplica: 2}
          template: {terminationGracePeriodSeconds: 20}
          phi:
            model: {layers: 1, hiddenSize: 32, heads: 2, rotaryDim: 8, mlpSize: 64, vocabularySize: 257, sequenceLength: 64}
            data:
              sources: ["{{{corpus}}}/*.txt"]
            batch: {global: 4, micro: 1}
            steps: {{{steps}}}
            optimizer: { adamW: { learningRate: 3.0e-3 } }
            schedule: { linear: { warmupSteps: 5 } }
            seed: 7
          checkpoint: { everySteps: {{{everySteps}}} }
          recovery: { maxRestarts: {{{maxRestarts}}}, backoff: 100ms }
        """);

    /// <summary>A folder of text that is the same on every run.</summary>
    public static string WriteCorpus(string folder)
    {
        var corpus = Path.Combine(folder, "corpus");
        Directory.CreateDirectory(corpus);
        string[] words = ["the", "gang", "of", "ranks", "gathers", "shards", "and", "reduces", "gradients", "every", "step"];
        for (var file = 0; file < 4; file++)
        {
            var text = string.Join(' ', Enumerable.Range(0, 4000).Select(i => words[(i * (file + 3) + i / 7) % words.Length]));
            File.WriteAllText(Path.Combine(corpus, $"{file}.txt"), text);
        }

        return corpus;
    }
}
