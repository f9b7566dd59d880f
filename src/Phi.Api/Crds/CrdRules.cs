using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.Crds;

/// <summary>What the API server checks of each spec before it stores it. The operator's validator checks the same and more.</summary>
internal static class CrdRules
{
    private const long Unlimited = long.MaxValue;

    public static IReadOnlyList<CrdRule> TrainingJob { get; } =
    [
        CrdRule.Choice("", true, "write the phi block for the built-in trainer", "phi", "container"),
        CrdRule.Default("suspend", false),
        CrdRule.Limit("managedBy", 63),
        CrdRule.Cel("managedBy", "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[^/ ]+$')", $"must be a domain-prefixed path; leave it out, or name the controller like {PhiNames.Manager}"),
        CrdRule.Cel("", "has(self.managedBy) == has(oldSelf.managedBy) && (!has(self.managedBy) || self.managedBy == oldSelf.managedBy)", "managedBy must not change; delete the job and create it anew for the other controller"),
        CrdRule.Default("replicas", 1),
        CrdRule.Range("replicas", 1, 4096, "ask for at least one pod"),
        CrdRule.Cel("replicas", "self == oldSelf", "must not change; delete the job and create it with the new number of pods"),
        CrdRule.Default("accelerator", new JsonObject()),
        CrdRule.Default("accelerator.type", "cpu"),
        CrdRule.Limit("accelerator.type", 63),
        CrdRule.Cel("accelerator.type", "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')", "must be lower-case letters, digits, '-' and '.'; write cpu, or a node's label such as nvidia-a100-80gb"),
        CrdRule.Default("accelerator.perReplica", 8),
        CrdRule.Range("accelerator.perReplica", 1, 64, "give each pod as many ranks as its node has accelerators"),
        CrdRule.Cel("accelerator.perReplica", "self == oldSelf", "must not change; delete the job and create it with the new number of ranks"),
        CrdRule.Range("minReplicas", 1, 4096, "ask for at least one pod"),
        CrdRule.Range("activeDeadlineSeconds", 1, Unlimited, "leave it out for no deadline"),
        CrdRule.Range("ttlSecondsAfterFinished", 0, Unlimited, "leave it out to keep the finished job"),
        CrdRule.Range("template.terminationGracePeriodSeconds", 0, 86400, "give a save as long as it needs, such as 30"),
        CrdRule.OneOf("topology.require", "nvlink-domain", "rack", "zone"),
        CrdRule.OneOf("topology.prefer", "nvlink-domain", "rack", "zone"),
        CrdRule.Choice("topology", false, "keep one of them", "require", "prefer"),
        CrdRule.Required("phi", "steps", "data"),
        CrdRule.Range("phi.steps", 1, Unlimited, "take at least one step"),
        CrdRule.Default("phi.seed", 1),
        CrdRule.OneOf("phi.precision", "fp32", "bf16", "fp16"),
        CrdRule.OneOf("phi.activationCheckpointing", "none", "full"),
        CrdRule.OneOf("phi.model.preset", [.. ModelPresets.Names]),
        CrdRule.Range("phi.model.layers", 1, 1000, "choose a size within the range"),
        CrdRule.Range("phi.model.hiddenSize", 1, 1 << 16, "choose a size within the range"),
        CrdRule.Range("phi.model.heads", 1, 1 << 12, "choose a size within the range"),
        CrdRule.Range("phi.model.rotaryDim", 1, 1 << 12, "choose a size within the range"),
        CrdRule.Range("phi.model.mlpSize", 1, 1 << 18, "choose a size within the range"),
        CrdRule.Range("phi.model.vocabularySize", 1, 1 << 20, "choose a size within the range"),
        CrdRule.Range("phi.model.sequenceLength", 1, 1 << 20, "choose a size within the range"),
        CrdRule.Cel("phi.model.dropout", "self >= 0.0 && self < 1.0", "must be from 0 to below 1; write a probability"),
        CrdRule.Cel("phi.model", "!has(self.hiddenSize) || !has(self.heads) || self.heads < 1 || self.hiddenSize % self.heads == 0", "heads must divide hiddenSize; choose a divisor", ".heads"),
        CrdRule.Required("phi.initialize", "from"),
        CrdRule.Choice("phi.initialize.from", true, "write job, the name of a job of this namespace", "job", "folder", "azureBlob"),
        CrdRule.Limit("phi.initialize.from.job", 253),
        CrdRule.Cel("phi.initialize.from.job", "size(self) > 0", "must not be empty; name the job whose checkpoint this one begins with"),
        CrdRule.Required("phi.initialize.from.folder", "path"),
        CrdRule.Limit("phi.initialize.from.folder.path", 4096),
        CrdRule.Cel("phi.initialize.from.folder.path", "!self.matches('(^|/)[.][.](/|$)')", "must not contain '..'; name a folder below the checkpoint root, or an absolute path"),
        .. AzureBlob("phi.initialize.from.azureBlob"),
        CrdRule.Range("phi.initialize.step", 0, Unlimited, "leave it out for the newest checkpoint"),
        CrdRule.Default("phi.initialize.what", "weights"),
        CrdRule.OneOf("phi.initialize.what", "weights", "everything"),
        CrdRule.Required("phi.data", "sources"),
        CrdRule.Limit("phi.data.sources", 1000),
        CrdRule.Limit("phi.data.sources[]", 4096),
        CrdRule.Cel("phi.data.sources", "size(self) > 0", "must name at least one file, folder or glob; add the files to train on"),
        CrdRule.Cel("phi.data.sources[]", "size(self.trim()) > 0", "must not be empty; remove it, or name a file, folder or glob"),
        CrdRule.Choice("phi.data.tokenizer", true, "write bytes: {} for byte-level tokens", "bytes", "codegen", "bpe"),
        .. VocabularyFiles("codegen"),
        .. VocabularyFiles("bpe"),
        CrdRule.Cel("phi.data.heldOutFraction", "self >= 0.0 && self <= 0.5", "must be from 0 to 0.5; hold out at most half"),
        .. DataFilter(),
        .. EvaluationRules.All,
        CrdRule.Range("phi.batch.global", 1, 1 << 24, "take at least one sequence a step"),
        CrdRule.Range("phi.batch.micro", 1, 1 << 16, "take at least one sequence a pass"),
        CrdRule.Default("phi.batch.micro", 1),
        CrdRule.Cel("", $"{NoBatch} || {Global} % ({PerPass}) == 0", "must be a multiple of micro × replicas × perReplica; write a multiple, or change micro", ".phi.batch.global"),
        CrdRule.Cel("phi.optimizer.adamW.learningRate", "self > 0.0 && self <= 10.0", "must be above 0 and at most 10; phi-1 uses 1e-3"),
        CrdRule.Cel("phi.optimizer.adamW.beta1", "self >= 0.0 && self < 1.0", "must be from 0 to below 1; leave it out for 0.9"),
        CrdRule.Cel("phi.optimizer.adamW.beta2", "self >= 0.0 && self < 1.0", "must be from 0 to below 1; leave it out for 0.98"),
        CrdRule.Cel("phi.optimizer.adamW.epsilon", "self > 0.0 && self <= 1.0", "must be above 0 and at most 1; leave it out for 1e-7"),
        CrdRule.Cel("phi.optimizer.adamW.weightDecay", "self >= 0.0 && self <= 10.0", "must be from 0 to 10; write 0 for none"),
        CrdRule.Cel("phi.optimizer.adamW.clipNorm", "self >= 0.0", "must be at least 0; write 0 for no clipping"),
        CrdRule.Choice("phi.schedule", true, "write linear: {} for warm-up and linear decay", "linear", "cosine", "constant"),
        .. Ramp("linear"),
        .. Ramp("cosine"),
        CrdRule.Range("phi.schedule.constant.warmupSteps", 0, Unlimited, "write 0 for none"),
        CrdRule.Range("phi.schedule.constant.decaySteps", 0, Unlimited, "write 0 for none"),
        CrdRule.Required("container", "image"),
        CrdRule.Default("container.progressFile", TrainingJobDefaults.FirstReplica),
        CrdRule.OneOf("container.progressFile", TrainingJobDefaults.FirstReplica, "EveryReplica", "None"),
        CrdRule.Default("zero.stage", 3),
        CrdRule.Range("zero.stage", 0, 3, "write 3 to shard parameters, gradients and optimizer states"),
        CrdRule.Cel("zero.quantizedWeights.bits", "self == 8", "must be 8; write 8, or leave it out"),
        CrdRule.Cel("zero.quantizedGradients.intraBits", "self in [4, 8]", "must be 4 or 8; write 8, or leave it out"),
        CrdRule.Cel("zero.quantizedGradients.interBits", "self in [4, 8]", "must be 4 or 8; write 4, or leave it out"),
        CrdRule.Cel("zero.quantizedWeights.blockSize", BlockSize, BlockSizeMessage),
        CrdRule.Cel("zero.quantizedGradients.blockSize", BlockSize, BlockSizeMessage),
        CrdRule.Range("zero.hierarchicalPartitioning.groupSize", 1, 4096, "leave it out for the ranks of one pod"),
        CrdRule.Default("checkpoint", new JsonObject()),
        CrdRule.Choice("checkpoint.store", true, "write folder: {} for a folder that every pod sees", "folder", "azureBlob"),
        CrdRule.Limit("checkpoint.store.folder.path", 4096),
        CrdRule.Cel("checkpoint.store.folder.path", "!self.matches('(^|/)[.][.](/|$)')", "must not contain '..'; name a folder below the checkpoint root, or an absolute path"),
        .. AzureBlob("checkpoint.store.azureBlob"),
        CrdRule.Default("checkpoint.everySteps", 500),
        CrdRule.Range("checkpoint.everySteps", 1, Unlimited, "leave it out for 500"),
        CrdRule.Range("checkpoint.everyMinutes", 1, Unlimited, "leave it out to save by steps alone"),
        CrdRule.Default("checkpoint.keepLast", 3),
        CrdRule.Range("checkpoint.keepLast", 1, int.MaxValue, "keep at least the newest"),
        CrdRule.Range("checkpoint.keepEvery", 1, Unlimited, "leave it out to keep the newest alone"),
        CrdRule.Cel("", "!has(self.container) || !has(self.checkpoint) || !has(self.checkpoint.inMemory)", $"{TrainingJobValidator.InMemoryRule}; {TrainingJobValidator.InMemoryRemedy}", ".checkpoint.inMemory"),
        CrdRule.Default("checkpoint.inMemory.everySteps", 10),
        CrdRule.Range("checkpoint.inMemory.everySteps", 1, Unlimited, "leave it out for 10"),
        CrdRule.Default("checkpoint.onPreemption", true),
        CrdRule.Default("recovery", new JsonObject()),
        CrdRule.Default("recovery.maxRestarts", 3),
        CrdRule.Range("recovery.maxRestarts", 0, int.MaxValue, "write 0 for no charged restart"),
        CrdRule.Duration("recovery.restartWindow"),
        CrdRule.Default("recovery.backoff", "1s"),
        CrdRule.Duration("recovery.backoff"),
        CrdRule.Default("recovery.hangTimeout", "10m"),
        CrdRule.Duration("recovery.hangTimeout"),
        CrdRule.Default("recovery.heartbeatTimeout", "10s"),
        CrdRule.Duration("recovery.heartbeatTimeout"),
        CrdRule.Default("recovery.bindTimeout", "60s"),
        CrdRule.Duration("recovery.bindTimeout"),
        CrdRule.Default("recovery.startTimeout", "10m"),
        CrdRule.Duration("recovery.startTimeout"),
        CrdRule.Duration("recovery.requeuingStrategy.backoffBase"),
        CrdRule.Duration("recovery.requeuingStrategy.backoffMax"),
        CrdRule.OneOf("recovery.divergence.action", "Stop", "Rollback", "Ignore"),
        CrdRule.Cel("recovery.divergence.spikeFactor", "self > 1.0 && self <= 1000000.0", "must be above 1 and at most 1000000; leave it out to stop at a loss that is not finite alone"),
        CrdRule.Range("recovery.divergence.window", 5, 10000, "leave it out for 50"),
        CrdRule.Range("recovery.divergence.maxRollbacks", 0, int.MaxValue, "write 0 for none"),
        CrdRule.Cel("recovery.stragglers.factor", "self > 1.0 && self <= 1000000.0", "must be above 1 and at most 1000000; leave it out for 2"),
        CrdRule.Range("recovery.stragglers.steps", 1, int.MaxValue, "leave it out for 20"),
        CrdRule.OneOf("recovery.stragglers.action", "Report", "ExcludeNode"),
        CrdRule.Limit("recovery.rules", 100),
        CrdRule.Required("recovery.rules[]", "action"),
        CrdRule.OneOf("recovery.rules[].action", "Restart", "RestartFree", "Fail", "ExcludeNode"),
        CrdRule.Limit("recovery.rules[].exitCodes", 256),
        CrdRule.Limit("recovery.rules[].reasons", 64),
        CrdRule.Limit("recovery.rules[].messageRegex", 1024),
        CrdRule.Cel("recovery.rules[]", "has(self.exitCodes) || has(self.reasons) || has(self.messageRegex)", "must have at least one of exitCodes, reasons, messageRegex; say what the rule matches"),
    ];

    public static IReadOnlyList<CrdRule> TrainingQueue { get; } =
    [
        CrdRule.Limit("quotas", 64),
        CrdRule.Required("quotas[]", "acceleratorType", "nominal"),
        CrdRule.Range("quotas[].nominal", 0, int.MaxValue, "write how many accelerators the queue owns"),
        CrdRule.Range("quotas[].borrowingLimit", 0, int.MaxValue, "write 0 for no borrowing"),
        CrdRule.Range("quotas[].lendingLimit", 0, int.MaxValue, "write 0 for no lending"),
        CrdRule.Default("order", "StrictFifo"),
        CrdRule.OneOf("order", "StrictFifo", "BestEffortFifo"),
        CrdRule.OneOf("preemption.withinQueue", "Never", "LowerPriority"),
        CrdRule.OneOf("preemption.reclaimWithinCohort", "Never", "LowerPriority", "Any"),
        CrdRule.Duration("preemption.checkpointDeadline"),
    ];

    public static IReadOnlyList<CrdRule> CronTrainingJob { get; } =
    [
        CrdRule.Required("", "schedule", "jobTemplate"),
        CrdRule.Limit("schedule", 256),
        CrdRule.Cel("schedule", "self.matches('^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$') || self.trim().split(' ').filter(field, size(field) > 0).size() == 5",
            "must have five fields, or be a macro such as @hourly; write minute, hour, day of month, month, day of week, such as 0 3 * * 1"),
        CrdRule.Cel("schedule", "!self.contains('TZ=')", "must not name a time zone; write it in timeZone"),
        CrdRule.Limit("timeZone", 128),
        CrdRule.Cel("timeZone", "size(self) > 0 && self != 'Local'", "must be an IANA time zone; write one such as Etc/UTC or Europe/Zurich"),
        CrdRule.Default("timeZone", "Etc/UTC"),
        CrdRule.Default("concurrencyPolicy", "Forbid"),
        CrdRule.OneOf("concurrencyPolicy", "Allow", "Forbid", "Replace"),
        CrdRule.Default("suspend", false),
        CrdRule.Range("startingDeadlineSeconds", 0, Unlimited, "leave it out for no deadline"),
        CrdRule.Range("successfulJobsHistoryLimit", 0, int.MaxValue, "write 0 to keep none"),
        CrdRule.Range("failedJobsHistoryLimit", 0, int.MaxValue, "write 0 to keep none"),
        CrdRule.Required("jobTemplate", "spec"),
    ];

    private const string BlockSize = "self in [64, 128, 256, 512, 1024, 2048]";
    private const string BlockSizeMessage = "must be a power of two from 64 to 2048; write 256, or leave it out";
    private const string Global = "self.phi.batch.global";
    private const string PerPass = "self.phi.batch.micro * self.replicas * self.accelerator.perReplica";
    private const string NoBatch = "!has(self.phi) || !has(self.phi.batch) || !has(self.phi.batch.global) || self.phi.batch.micro < 1 || self.replicas < 1 || self.accelerator.perReplica < 1";

    private static IEnumerable<CrdRule> AzureBlob(string path)
    {
        return
        [
            CrdRule.Required(path, "account", "container"),
            CrdRule.Limit($"{path}.account", 24),
            Matches("account", AzureBlobStoreValidator.AccountPattern, AzureBlobStoreValidator.AccountRule, AzureBlobStoreValidator.AccountRemedy),
            CrdRule.Limit($"{path}.container", 63),
            CrdRule.Cel($"{path}.container", $"size(self) >= 3 && self.matches('{AzureBlobStoreValidator.ContainerPattern}')", $"{AzureBlobStoreValidator.ContainerRule}; {AzureBlobStoreValidator.ContainerRemedy}"),
            CrdRule.Limit($"{path}.prefix", AzureBlobStoreValidator.LongestPrefix),
            CrdRule.Cel($"{path}.prefix", $"self.matches(r'{AzureBlobStoreValidator.PrefixPattern}') && !self.matches('{AzureBlobStoreValidator.PrefixDotPattern}')", $"{AzureBlobStoreValidator.PrefixRule}; {AzureBlobStoreValidator.PrefixRemedy}"),
            CrdRule.Limit($"{path}.secretName", 253),
            Matches("secretName", AzureBlobStoreValidator.SecretPattern, AzureBlobStoreValidator.SecretRule, AzureBlobStoreValidator.SecretRemedy),
            CrdRule.Limit($"{path}.endpoint", 2048),
            Matches("endpoint", AzureBlobStoreValidator.EndpointPattern, AzureBlobStoreValidator.EndpointRule, AzureBlobStoreValidator.EndpointRemedy),
        ];

        CrdRule Matches(string name, string pattern, string rule, string remedy) => CrdRule.Cel($"{path}.{name}", $"self.matches('{pattern}')", $"{rule}; {remedy}");
    }

    private static IEnumerable<CrdRule> VocabularyFiles(string kind) =>
    [
        CrdRule.Required($"phi.data.tokenizer.{kind}", "vocabulary", "merges"),
        CrdRule.Limit($"phi.data.tokenizer.{kind}.vocabulary", 4096),
        CrdRule.Limit($"phi.data.tokenizer.{kind}.merges", 4096),
    ];

    private static IEnumerable<CrdRule> DataFilter()
    {
        const string Filter = "phi.data.filter";
        const string Off = "leave it out for no such rule";
        return
        [
            CrdRule.Range($"{Filter}.minBytes", 1, Unlimited, Off),
            CrdRule.Range($"{Filter}.maxBytes", 1, Unlimited, Off),
            CrdRule.Range($"{Filter}.maxLineLength", 1, Unlimited, Off),
            CrdRule.Cel($"{Filter}.maxMeanLineLength", "self > 0.0 && self <= 1000000000.0", "must be above 0 and at most 1000000000; write 100 for code, or leave it out"),
            CrdRule.Cel($"{Filter}.minAlphanumeric", "self >= 0.0 && self <= 1.0", "must be from 0 to 1; write a share, such as 0.25"),
            CrdRule.Cel($"{Filter}.minComments", "self >= 0.0 && self <= 1.0", "must be from 0 to 1; write a share, such as 0.01"),
            CrdRule.Cel($"{Filter}.maxComments", "self >= 0.0 && self <= 1.0", "must be from 0 to 1; write a share, such as 0.8"),
            CrdRule.Cel($"{Filter}.nearDuplicates", "self >= 0.5 && self <= 1.0", "must be from 0.5 to 1; write 0.85 for code"),
            CrdRule.Cel(Filter, "!has(self.minBytes) || !has(self.maxBytes) || self.minBytes <= self.maxBytes", "minBytes must be at most maxBytes; lower it, or raise the other", ".minBytes"),
            CrdRule.Cel(Filter, "!has(self.minComments) || !has(self.maxComments) || self.minComments <= self.maxComments", "minComments must be at most maxComments; lower it, or raise the other", ".minComments"),
            CrdRule.Required($"{Filter}.classifier", "model"),
            CrdRule.Limit($"{Filter}.classifier.model", 4096),
            CrdRule.Cel($"{Filter}.classifier.threshold", "self >= 0.0 && self <= 1.0", "must be from 0 to 1; write the least score of a document that is kept"),
        ];
    }

    private static IEnumerable<CrdRule> Ramp(string name) =>
    [
        CrdRule.Range($"phi.schedule.{name}.warmupSteps", 0, Unlimited, "write 0 for none"),
        CrdRule.Range($"phi.schedule.{name}.totalSteps", 1, Unlimited, "leave it out for the job's steps"),
        CrdRule.Cel($"phi.schedule.{name}", "!has(self.warmupSteps) || !has(self.totalSteps) || self.totalSteps >= self.warmupSteps", "totalSteps must be at least warmupSteps; raise it, or lower warmupSteps", ".totalSteps"),
    ];
}
