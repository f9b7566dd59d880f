using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>Checks a job as the user wrote it, with defaults applied where rules span fields. Reports every error, not the first.</summary>
public static class TrainingJobValidator
{
    internal const string InMemoryRule = "must not be given for a container job";
    internal const string InMemoryRemedy = "it belongs to the built-in trainer; leave it out, or write the phi block";
    private static readonly string[] Domains = ["nvlink-domain", "rack", "zone"];
    private static readonly string[] Actions = ["Restart", "RestartFree", "Fail", "ExcludeNode"];
    private static readonly string[] DivergenceActions = ["Stop", "Rollback", "Ignore"];
    private static readonly string[] StragglerActions = ["Report", "ExcludeNode"];
    private static readonly string[] ProgressFiles = [TrainingJobDefaults.FirstReplica, "EveryReplica", "None"];

    public static IReadOnlyList<ValidationError> Validate(TrainingJob job)
    {
        var errors = new ErrorList();
        var spec = TrainingJobDefaults.Apply(job).Spec;
        Gang(spec, errors);
        Queue(job, errors);
        Source(job, errors);
        errors.ExactlyOne("spec", [("phi", spec.Phi), ("container", spec.Container)]);
        if (spec.Phi is { } phi)
        {
            PhiSpecValidator.Validate(phi, spec, errors);
        }

        if (spec.Container is { } container)
        {
            errors.Required("spec.container.image", container.Image, "name the image to run");
            errors.OneOf("spec.container.progressFile", container.ProgressFile, ProgressFiles);
            if (spec.Checkpoint!.InMemory is not null)
            {
                errors.Add("spec.checkpoint.inMemory", $"everySteps: {spec.Checkpoint.InMemory.EverySteps}", InMemoryRule, InMemoryRemedy);
            }
        }

        Zero(spec, errors);
        Checkpoint(spec.Checkpoint!, spec.Template?.Env, errors);
        Recovery(spec.Recovery!, errors);
        return errors.Errors;
    }

    private static void Gang(TrainingJobSpec spec, ErrorList errors)
    {
        errors.Range("spec.replicas", spec.Replicas, 1, 4096, "ask for at least one pod");
        errors.Range("spec.accelerator.perReplica", spec.Accelerator!.PerReplica, 1, 64, "give each pod as many ranks as its node has accelerators");
        errors.Range("spec.activeDeadlineSeconds", spec.ActiveDeadlineSeconds, 1, long.MaxValue, "leave it out for no deadline");
        errors.Range("spec.ttlSecondsAfterFinished", spec.TtlSecondsAfterFinished, 0, long.MaxValue, "leave it out to keep the finished job");
        errors.Range("spec.template.terminationGracePeriodSeconds", spec.Template!.TerminationGracePeriodSeconds, 0, 86400, "give a save as long as it needs, such as 30");
        if (spec.MinReplicas is { } least && (least < 1 || least > spec.Replicas))
        {
            errors.Add("spec.minReplicas", least, $"must be from 1 to replicas ({spec.Replicas})", "lower it, or raise replicas");
        }

        if (spec.Accelerator.Type is { } type && !Regex.IsMatch(type, "^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$"))
        {
            errors.Add("spec.accelerator.type", type, "must be lower-case letters, digits, '-' and '.'", "write cpu, or a node's label such as nvidia-a100-80gb");
        }

        errors.OneOf("spec.topology.require", spec.Topology?.Require, Domains);
        errors.OneOf("spec.topology.prefer", spec.Topology?.Prefer, Domains);
        if (spec.Topology is { Require: not null, Prefer: not null })
        {
            errors.Add("spec.topology", "require and prefer", "must have at most one of require, prefer", "keep one of them");
        }
    }

    /// <summary>One queue at most decides when a job starts.</summary>
    private static void Queue(TrainingJob job, ErrorList errors)
    {
        if (job.Spec.Queue is { } queue && job.Metadata.Labels?.GetValueOrDefault(PhiNames.KueueQueueLabel) is { } kueue)
        {
            errors.Add("spec.queue", queue, $"must not be set beside the label {PhiNames.KueueQueueLabel} ({kueue})", "remove the label to use the TrainingQueue, or spec.queue to use Kueue's queue");
        }
    }

    private static void Source(TrainingJob job, ErrorList errors)
    {
        if (job.Spec.Phi?.Initialize?.From?.Job is { } source && (source.Length == 0 || source == job.Metadata.Name))
        {
            errors.Add("spec.phi.initialize.from.job", source.Length == 0 ? "''" : source, "must be another job", "name the job whose checkpoint this one begins with");
        }
    }

    private static void Zero(TrainingJobSpec spec, ErrorList errors)
    {
        var (zero, ranks) = (spec.Zero!, (long?)spec.Replicas * spec.Accelerator?.PerReplica ?? 0);
        errors.Range("spec.zero.stage", zero.Stage, 0, 3, "write 3 to shard parameters, gradients and optimizer states");
        BlockSize("spec.zero.quantizedWeights.blockSize", zero.QuantizedWeights?.BlockSize, errors);
        BlockSize("spec.zero.quantizedGradients.blockSize", zero.QuantizedGradients?.BlockSize, errors);
        Bits("spec.zero.quantizedWeights.bits", zero.QuantizedWeights?.Bits, [8], errors);
        Bits("spec.zero.quantizedGradients.intraBits", zero.QuantizedGradients?.IntraBits, [4, 8], errors);
        Bits("spec.zero.quantizedGradients.interBits", zero.QuantizedGradients?.InterBits, [4, 8], errors);
        errors.Range("spec.zero.hierarchicalPartitioning.groupSize", zero.HierarchicalPartitioning?.GroupSize, 1, 4096, "leave it out for the ranks of one pod");
        if (zero.HierarchicalPartitioning?.GroupSize is > 0 and var group && ranks > 0 && ranks % group != 0)
        {
            errors.Add("spec.zero.hierarchicalPartitioning.groupSize", group, $"must divide the job's {ranks} ranks (replicas × accelerator.perReplica)", "leave it out for the ranks of one pod");
        }

        if (zero.HierarchicalPartitioning?.GroupSize is > 0 and var elastic && spec.MinReplicas < spec.Replicas && spec.Accelerator!.PerReplica is > 0 and var perReplica && perReplica % elastic != 0)
        {
            errors.Add("spec.zero.hierarchicalPartitioning.groupSize", elastic, $"must divide the {perReplica} ranks of one pod when minReplicas ({spec.MinReplicas}) is below replicas ({spec.Replicas})", "leave it out for the ranks of one pod");
        }

        // Below stage 3 every rank keeps whole weights: there is no such traffic to quantise.
        foreach (var (name, enabled) in new[] { ("quantizedWeights", zero.QuantizedWeights?.Enabled), ("hierarchicalPartitioning", zero.HierarchicalPartitioning?.Enabled), ("quantizedGradients", zero.QuantizedGradients?.Enabled) })
        {
            if (enabled == true && zero.Stage is >= 0 and < 3)
            {
                errors.Add($"spec.zero.{name}.enabled", "true", $"needs stage 3; spec.zero.stage is {zero.Stage}", "write stage 3, or false here");
            }
        }
    }

    private static void BlockSize(string field, int? value, ErrorList errors)
    {
        if (value is { } given && (given < 64 || given > 2048 || (given & (given - 1)) != 0))
        {
            errors.Add(field, given, "must be a power of two from 64 to 2048", "write 256, or leave it out");
        }
    }

    private static void Bits(string field, int? value, int[] allowed, ErrorList errors)
    {
        if (value is { } given && !allowed.Contains(given))
        {
            errors.Add(field, given, $"must be {string.Join(" or ", allowed)}", $"write {allowed[^1]}, or leave it out");
        }
    }

    private static void Checkpoint(CheckpointSpec checkpoint, JsonArray? env, ErrorList errors)
    {
        errors.ExactlyOne("spec.checkpoint.store", [("folder", checkpoint.Store!.Folder), ("azureBlob", checkpoint.Store.AzureBlob)]);
        errors.Range("spec.checkpoint.everySteps", checkpoint.EverySteps, 1, long.MaxValue, "leave it out for 500");
        errors.Range("spec.checkpoint.everyMinutes", checkpoint.EveryMinutes, 1, long.MaxValue, "leave it out to save by steps alone");
        errors.Range("spec.checkpoint.keepLast", checkpoint.KeepLast, 1, int.MaxValue, "keep at least the newest");
        errors.Range("spec.checkpoint.keepEvery", checkpoint.KeepEvery, 1, long.MaxValue, "leave it out to keep the newest alone");
        errors.Range("spec.checkpoint.inMemory.everySteps", checkpoint.InMemory?.EverySteps, 1, long.MaxValue, "leave it out for 10");
        if (checkpoint.Store.AzureBlob is { } blob)
        {
            AzureBlobStoreValidator.Validate("spec.checkpoint.store.azureBlob", blob, errors);
            AzureBlobStoreValidator.Credential("spec.checkpoint.store.azureBlob", blob, env, isStore: true, errors);
        }

        if (checkpoint.Store.Folder?.Path is { } path && path.Split('/').Contains(".."))
        {
            errors.Add("spec.checkpoint.store.folder.path", path, "must not contain '..'", "name a folder below the checkpoint root, or an absolute path");
        }
    }

    private static void Recovery(RecoverySpec recovery, ErrorList errors)
    {
        errors.Range("spec.recovery.maxRestarts", recovery.MaxRestarts, 0, int.MaxValue, "write 0 for no charged restart");
        errors.Duration("spec.recovery.restartWindow", recovery.RestartWindow);
        errors.Duration("spec.recovery.backoff", recovery.Backoff);
        errors.Duration("spec.recovery.hangTimeout", recovery.HangTimeout);
        errors.Duration("spec.recovery.heartbeatTimeout", recovery.HeartbeatTimeout);
        errors.Duration("spec.recovery.bindTimeout", recovery.BindTimeout);
        errors.Duration("spec.recovery.startTimeout", recovery.StartTimeout);
        errors.Duration("spec.recovery.requeuingStrategy.backoffBase", recovery.RequeuingStrategy?.BackoffBase);
        errors.Duration("spec.recovery.requeuingStrategy.backoffMax", recovery.RequeuingStrategy?.BackoffMax);
        errors.OneOf("spec.recovery.divergence.action", recovery.Divergence?.Action, DivergenceActions);
        Factor("spec.recovery.divergence.spikeFactor", recovery.Divergence?.SpikeFactor, "leave it out to stop at a loss that is not finite alone", errors);
        errors.Range("spec.recovery.divergence.window", recovery.Divergence?.Window, 5, 10000, "leave it out for 50");
        errors.Range("spec.recovery.divergence.maxRollbacks", recovery.Divergence?.MaxRollbacks, 0, int.MaxValue, "write 0 for none");
        Factor("spec.recovery.stragglers.factor", recovery.Stragglers?.Factor, "leave it out for 2", errors);
        errors.Range("spec.recovery.stragglers.steps", recovery.Stragglers?.Steps, 1, int.MaxValue, "leave it out for 20");
        errors.OneOf("spec.recovery.stragglers.action", recovery.Stragglers?.Action, StragglerActions);
        foreach (var (i, rule) in (recovery.Rules ?? []).Index())
        {
            var field = $"spec.recovery.rules[{i}]";
            errors.Required($"{field}.action", rule.Action, $"write one of {string.Join(", ", Actions)}");
            errors.OneOf($"{field}.action", rule.Action, Actions);
            if (rule is { ExitCodes: null or [], Reasons: null or [], MessageRegex: null })
            {
                errors.Add(field, null, "must have at least one of exitCodes, reasons, messageRegex", "say what the rule matches");
            }

            if (rule.MessageRegex is { } pattern && RegexError(pattern) is { } problem)
            {
                errors.Add($"{field}.messageRegex", pattern, "is no regular expression that runs in linear time", problem);
            }
        }
    }

    /// <summary>NaN is above nothing, so it is refused too.</summary>
    private static void Factor(string field, double? value, string remedy, ErrorList errors)
    {
        if (value is { } given && !(given > 1 && given <= 1e6))
        {
            errors.Add(field, given, "must be above 1 and at most 1000000", remedy);
        }
    }

    /// <summary>Patterns come from users and meet long messages: only those without backtracking.</summary>
    private static string? RegexError(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return e.Message;
        }
    }
}
