using System.Text.RegularExpressions;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>recovery.rules: what the user decided beforehand. The first rule that matches any of the causes wins over what a cause alone would do.</summary>
internal static class RulePolicy
{
    /// <param name="causes">At least one, the most telling first.</param>
    public static AttemptFailure Apply(JobSnapshot snapshot, IReadOnlyList<AttemptFailure> causes)
    {
        foreach (var (index, rule) in (snapshot.Job.Spec.Recovery!.Rules ?? []).Index())
        {
            if (causes.FirstOrDefault(cause => IsMatch(rule, cause)) is { } match)
            {
                return Act(snapshot, match with { Message = $"{match.Message}; recovery.rules[{index}] says {rule.Action}" }, rule.Action!);
            }
        }

        return causes[0];
    }

    /// <summary>Every matcher that the rule has must match.</summary>
    private static bool IsMatch(RecoveryRuleSpec rule, AttemptFailure cause) =>
        rule is not { ExitCodes: null or [], Reasons: null or [], MessageRegex: null }
        && (rule.ExitCodes is null or [] || (cause.ExitCode is { } code && rule.ExitCodes.Contains(code)))
        && (rule.Reasons is null or [] || rule.Reasons.Contains(cause.Reason))
        && (rule.MessageRegex is null || Regex.IsMatch($"{cause.Message}\n{cause.Words}", rule.MessageRegex, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));

    private static AttemptFailure Act(JobSnapshot snapshot, AttemptFailure cause, string action) => action switch
    {
        "Restart" => cause with { IsCharged = true, IsFatal = false },
        "RestartFree" => cause with { IsCharged = false, IsFatal = false },
        "Fail" => cause with { IsCharged = true, IsFatal = true },
        _ => cause with
        {
            IsCharged = true,
            IsFatal = false,
            Message = cause.Node is { } node ? $"{cause.Message} {node}" : $"{cause.Message}, but it happened on no node that is known",
            Excluded = cause.Node is null ? cause.Excluded : [.. cause.Excluded.Where(excluded => excluded.Node != cause.Node), new ExcludedNodeStatus { Node = cause.Node, Reason = "RecoveryRule", Since = snapshot.Now }],
        },
    };
}
