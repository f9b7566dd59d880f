namespace Phi.Trainer.Ranks.Saving;

/// <summary>What all ranks know together at the end of a step.</summary>
/// <param name="IsLeaving">One rank that was asked is enough: all leave at the same step.</param>
/// <param name="IsDue">Rank 0's clock says that it is time to save.</param>
/// <param name="SecondsLeft">Until the first of the ranks is killed; null if none of those that were asked knows.</param>
/// <param name="SaveSeconds">Estimate of the longest of the ranks' saves; null before one was measured.</param>
internal sealed record StepAgreement(bool IsLeaving, bool IsDue, double? SecondsLeft, double? SaveSeconds)
{
    public static StepAgreement Of(IReadOnlyList<StepNote> notes)
    {
        var left = notes.Min(note => note.SecondsLeft);
        // Max and Min pass not-a-number on.
        var save = notes.Aggregate(0.0, (most, note) => Math.Max(most, note.SaveSeconds));
        return new StepAgreement(notes.Any(note => note.IsAsked), notes[0].IsDue, double.IsFinite(left) ? left : null, double.IsFinite(save) ? save : null);
    }
}
