using System.Globalization;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>Whether a rank that leaves saves the step it has come to.</summary>
internal sealed record LeaveDecision(bool IsSaved, string Message)
{
    /// <summary>Measured saves had the processor to share with training; what is added is for what else may happen.</summary>
    private const double Margin = 1.2;
    private const double MarginSeconds = 1;

    public static LeaveDecision Of(long step, long saved, StepAgreement agreed)
    {
        if (agreed.SecondsLeft is not { } left)
        {
            return new LeaveDecision(true, $"leaving: step {step} is saved");
        }

        if (agreed.SaveSeconds is not { } estimate)
        {
            return new LeaveDecision(true, Text($"leaving: step {step} is saved; {left:0.0} s are left, and no save of this attempt was measured"));
        }

        var needed = estimate * Margin + MarginSeconds;
        return needed <= left
            ? new LeaveDecision(true, Text($"leaving: step {step} is saved; {left:0.0} s are left, and a save takes about {estimate:0.0} s"))
            : new LeaveDecision(false, Text($"leaving without saving step {step}: {left:0.0} s are left, and a save takes about {estimate:0.0} s and needs {needed:0.0} s to be safe; {(saved > 0 ? $"the checkpoint of step {saved} is the newest" : "there is no checkpoint yet")}"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
