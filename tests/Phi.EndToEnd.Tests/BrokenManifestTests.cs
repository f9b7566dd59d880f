using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>Every broken manifest is refused by kubectl apply, or by the job's status, naming the field, the value and the remedy; the good one beside it runs on.</summary>
public sealed class BrokenManifestTests : IAsyncLifetime
{
    private PhiCluster _cluster = null!;
    private string _corpus = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        _corpus = Manifests.WriteCorpus(_cluster.Work);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>What is changed in a good manifest, and what the answer must hold: field, value, remedy. An API server leaves the value out where a rule is about several fields.</summary>
    private static readonly (string Change, string To, string[] Says)[] Cases =
    [
        ("replicas: 2", "replicas: 0", ["spec.replicas", "0", "ask for at least one pod"]),
        ("replicas: 2", "replicas: 5000", ["spec.replicas", "5000", "must be from 1 to 4096"]),
        ("replicas: 2", "replicas: two", ["spec.replicas", "string", "must be of type integer"]),
        ("perReplica: 2", "perReplica: 0", ["spec.accelerator.perReplica", "0", "give each pod as many ranks"]),
        ("type: cpu", "type: NVIDIA A100", ["spec.accelerator.type", "NVIDIA A100", "write cpu, or a node's label"]),
        ("terminationGracePeriodSeconds: 20", "terminationGracePeriodSeconds: -1", ["spec.template.terminationGracePeriodSeconds", "-1", "such as 30"]),
        ("heads: 2", "heads: 3", ["spec.phi.model.heads", "choose a divisor"]),
        ("rotaryDim: 8", "rotaryDim: 7", ["spec.phi.model.rotaryDim", "7", "write half the head size"]),
        ("layers: 1", "layers: 0", ["spec.phi.model.layers", "0", "choose a size within the range"]),
        ("layers: 1, ", "", ["spec.phi.model.layers", "give it, or a preset"]),
        ("layers: 1, hiddenSize: 32, heads: 2, rotaryDim: 8, mlpSize: 64, vocabularySize: 257, sequenceLength: 64", "preset: phi-9", ["spec.phi.model.preset", "phi-9", "phi-tiny"]),
        ("vocabularySize: 257", "vocabularySize: 2000000", ["spec.phi.model.vocabularySize", "2000000", "must be from 1 to 1048576"]),
        ("vocabularySize: 257", "vocabularySize: 256", ["spec.phi.model.vocabularySize", "256", "write 257"]),
        ("sources: [\"CORPUS/*.txt\"]", "sources: []", ["spec.phi.data.sources", "add the files to train on"]),
        ("sources: [\"CORPUS/*.txt\"]", "sources: [\" \"]", ["spec.phi.data.sources[0]", "remove it, or name a file, folder or glob"]),
        ("sources: [\"CORPUS/*.txt\"]", "sources: [\"CORPUS/*.nothing\"]", ["data.sources", "nothing", "name another folder or glob"]),
        ("batch: {global: 4, micro: 1}", "batch: {global: 6, micro: 1}", ["spec.phi.batch.global", "write a multiple, or change micro"]),
        ("batch: {global: 4, micro: 1}", "batch: {global: 4, micro: 0}", ["spec.phi.batch.micro", "0", "take at least one sequence a pass"]),
        ("steps: 60", "steps: 0", ["spec.phi.steps", "0", "take at least one step"]),
        ("steps: 60", "stepz: 60", ["spec.phi.stepz", "unknown field"]),
        ("learningRate: 3.0e-3", "learningRate: -1.0", ["spec.phi.optimizer.adamW.learningRate", "-1", "phi-1 uses 1e-3"]),
        ("learningRate: 3.0e-3", "learningRate: 3.0e-3, beta2: 1.5", ["spec.phi.optimizer.adamW.beta2", "1.5", "leave it out for 0.98"]),
        ("linear: { warmupSteps: 5 }", "linear: { warmupSteps: 50, totalSteps: 10 }", ["spec.phi.schedule.linear.totalSteps", "raise it, or lower warmupSteps"]),
        ("linear: { warmupSteps: 5 }", "linear: { warmupSteps: 5 }, constant: {}", ["spec.phi.schedule", "must have exactly one of linear, cosine, constant", "write linear"]),
        ("seed: 7", "seed: 7\n    precision: fp8", ["spec.phi.precision", "fp8", "fp32"]),
        ("everySteps: 10", "everySteps: 0", ["spec.checkpoint.everySteps", "0", "leave it out for 500"]),
        ("everySteps: 10", "everySteps: 10, keepLast: 0", ["spec.checkpoint.keepLast", "0", "keep at least the newest"]),
        ("everySteps: 10", "everySteps: 10, store: {folder: {path: ../../etc}}", ["spec.checkpoint.store.folder.path", "../../etc", "name a folder below the checkpoint root"]),
        ("everySteps: 10", "everySteps: 10, store: {folder: {}, azureBlob: {account: a, container: c}}", ["spec.checkpoint.store", "must have exactly one of folder, azureBlob", "write folder"]),
        ("everySteps: 10", "everySteps: 10, store: {azureBlob: {account: My_Models, container: checkpoints}}", ["spec.checkpoint.store.azureBlob.account", "3 to 24 lower-case letters and digits", "write the account's name alone"]),
        ("everySteps: 10", "everySteps: 10, store: {azureBlob: {account: models, container: a--b}}", ["spec.checkpoint.store.azureBlob.container", "single hyphens", "a container that exists"]),
        ("everySteps: 10", "everySteps: 10, store: {azureBlob: {account: models, container: checkpoints, endpoint: 'http://127.0.0.1:1/models'}}", ["spec.checkpoint.store.azureBlob.secretName", "a workload identity's token is sent over https alone", "name a Secret"]),
        ("seed: 7", "seed: 7\n    initialize: {from: {azureBlob: {account: models, container: Check}}}", ["spec.phi.initialize.from.azureBlob.container", "Check", "a container that exists"]),
        ("maxRestarts: 3", "maxRestarts: -1", ["spec.recovery.maxRestarts", "-1", "write 0 for no charged restart"]),
        ("backoff: 100ms", "backoff: soon", ["spec.recovery.backoff", "soon", "write it like 30s"]),
        ("backoff: 100ms", "backoff: 100ms, rules: [{action: Explode, exitCodes: [1]}]", ["spec.recovery.rules[0].action", "Explode", "Restart"]),
        ("backoff: 100ms", "backoff: 100ms, rules: [{action: Fail}]", ["spec.recovery.rules[0]", "say what the rule matches"]),
        ("checkpoint:", "zero: {stage: 4}\n  checkpoint:", ["spec.zero.stage", "4", "write 3"]),
        ("checkpoint:", "zero: {stage: 2, quantizedWeights: {enabled: true}}\n  checkpoint:", ["spec.zero.quantizedWeights.enabled", "needs stage 3", "write stage 3"]),
        ("name: NAME", "name: Not_A_Name", ["metadata.name", "Not_A_Name", "lower case"]),
    ];

    [Fact]
    public async Task Manifests_ThatAreBroken_AreRefusedWithFieldValueAndRemedy()
    {
        var good = Manifests.Tiny("good", _corpus, steps: 2000, everySteps: 500);
        await _cluster.ApplyAsync(good);
        await _cluster.WaitForStepAsync("good", 1);

        var failures = new List<string>();
        foreach (var (index, (change, to, says)) in Cases.Index())
        {
            var name = $"broken-{index}";
            var text = Manifests.Tiny("NAME", "CORPUS");
            var broken = text.Replace(change, to, StringComparison.Ordinal);
            Assert.NotEqual(text, broken);
            var answer = await AnswerAsync(name, broken.Replace("NAME", name, StringComparison.Ordinal).Replace("CORPUS", _corpus, StringComparison.Ordinal));
            failures.AddRange(says.Where(word => !answer.Contains(word, StringComparison.Ordinal)).Select(word => $"{change} → {to}: no '{word}' in: {answer}"));
        }

        Assert.Empty(failures);
        Assert.Equal(1, (int?)(await _cluster.WaitForSuccessAsync("good"))["status"]!["attempt"]);
    }

    /// <summary>kubectl's refusal, or the message with which the job failed.</summary>
    private async Task<string> AnswerAsync(string name, string manifest)
    {
        var applied = await _cluster.KubectlWithInputAsync(manifest, "apply", "-f", "-");
        if (applied.ExitCode != 0)
        {
            return applied.ToString();
        }

        var waited = await _cluster.KubectlAsync("wait", $"tj/{name}", "--for=condition=Finished", "--timeout=120s");
        Assert.True(waited.ExitCode == 0, $"{manifest}\n{waited}");
        var job = await _cluster.JobAsync(name);
        Assert.True((string?)job["status"]!["phase"] == "Failed", $"It was accepted and ran to its end:\n{manifest}");
        var finished = job["status"]!["conditions"]!.AsArray().First(condition => (string?)condition!["type"] == "Finished")!;
        await _cluster.KubectlAsync("delete", "tj", name);
        return (string)finished["message"]!;
    }
}
