namespace Phi.Dashboard.Actions;

/// <summary>What the editor of new jobs begins with: a small job of the built-in trainer.</summary>
internal static class StarterManifest
{
    public static string Of(string? queue) => $$"""
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata:
          name: my-job
        spec:
        {{(string.IsNullOrEmpty(queue) ? "  # queue: research       # who admits the job" : $"  queue: {queue}")}}
          replicas: 2             # pods, all placed at once or none
          accelerator:
            type: cpu             # or such as nvidia-a100-80gb
            perReplica: 2         # ranks of a pod
          phi:
            model:
              preset: phi-tiny
            data:
              sources:
                - /usr/lib/python3*/**/*.py
              tokenizer:
                bytes: {}
            batch:
              global: 8           # sequences of a step
              micro: 2
            steps: 300
          checkpoint:
            everySteps: 50

        """;
}
