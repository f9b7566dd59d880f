using Phi.Telemetry.Goodput;

namespace Phi.Operator.Progress;

/// <summary>
/// One attempt's row of the ledger as its steps come in. Steps that come in order are added to it; what only the store can tell is left in
/// doubt until it is asked.
/// </summary>
internal sealed class AttemptAccount(AttemptGoodput row)
{
    /// <summary>Longer than any step; what is longer is no time of a step.</summary>
    private const double MostSeconds = 1e9;

    public AttemptGoodput Row { get; private set; } = row;

    public int Attempt => Row.Attempt;

    /// <summary>A step came that is not beyond the last one: it was counted before, or it came late.</summary>
    public bool IsCountInDoubt { get; private set; }

    /// <summary>A later attempt went back to within this one's steps.</summary>
    public bool IsLostInDoubt { get; private set; }

    public bool IsInDoubt => IsCountInDoubt || IsLostInDoubt;

    /// <summary>The row is not as the ledger has it.</summary>
    public bool HasNews { get; private set; }

    public static AttemptAccount New(int attempt) => new(new AttemptGoodput { Attempt = attempt, Steps = 0, FirstStep = 0, LastStep = 0, Start = default, End = default, ProductiveSeconds = 0, LostSeconds = 0 });

    /// <returns>Whether it is beyond the last one.</returns>
    public bool Add(in StoredStep step)
    {
        if (Row.Steps > 0 && step.Step <= Row.LastStep)
        {
            IsCountInDoubt = true;
            return false;
        }

        if (Row.Steps == 0)
        {
            Row = Row with { FirstStep = step.Step, Start = StartOf(step), FirstLoss = Finite(step.Loss), End = step.Time };
        }

        // A program that reports every tenth step alone did ten in between.
        var seconds = Row.Steps == 0 ? step.Seconds : step.Seconds * (step.Step - Row.LastStep);
        var isLost = step.Step >= Row.LostFromStep;
        Row = Row with
        {
            Steps = Row.Steps + 1,
            LastStep = step.Step,
            End = step.Time > Row.End ? step.Time : Row.End,
            ProductiveSeconds = Row.ProductiveSeconds + (isLost ? 0 : seconds),
            LostSeconds = Row.LostSeconds + (isLost ? seconds : 0),
            Loss = step.Loss ?? Row.Loss,
            Tokens = step.Tokens ?? Row.Tokens,
        };
        HasNews = true;
        return true;
    }

    public void AddMissed(DateTimeOffset at, double stallSeconds)
    {
        var until = Row.MissedUntil is { } before && before > at ? before : at;
        Row = Row with { MissedStallSeconds = Row.MissedStallSeconds + stallSeconds, MissedUntil = until };
        if (Row.Steps == 0)
        {
            Row = Row with { Start = until, End = until };
        }

        HasNews = true;
    }

    /// <param name="lostFrom">Where the later attempt that went back furthest began; null: none came later.</param>
    public void Fork(long? lostFrom)
    {
        if (Row.LostFromStep == lostFrom)
        {
            return;
        }

        (Row, HasNews, IsLostInDoubt) = (Row with { LostFromStep = lostFrom }, true, true);
        if (lostFrom is null || lostFrom > Row.LastStep)
        {
            SetLost(0);
        }
        else if (lostFrom <= Row.FirstStep)
        {
            SetLost(Row.ProductiveSeconds + Row.LostSeconds);
        }
    }

    /// <summary>For a row that the ledger had, whose attempt may have steps that were stored late and were counted by nobody.</summary>
    public void Doubt() => IsCountInDoubt = Row.Steps > 0;

    /// <summary>The store has no step up to the last that is not counted here.</summary>
    public void Confirm() => IsCountInDoubt = false;

    /// <param name="sum">Of all steps up to the last.</param>
    /// <param name="loss">The newest of them; null: none reported it.</param>
    public void Recount(StepSum sum, StoredStep first, double? loss, double? tokens)
    {
        Row = Row with
        {
            Steps = sum.Steps, FirstStep = first.Step, Start = StartOf(first), End = sum.End, FirstLoss = Finite(first.Loss), Loss = loss, Tokens = tokens, ProductiveSeconds = sum.Seconds, LostSeconds = 0,
        };
        (IsCountInDoubt, IsLostInDoubt, HasNews) = (false, Row.LostFromStep <= Row.LastStep, true);
    }

    /// <param name="seconds">Of the steps from <see cref="AttemptGoodput.LostFromStep"/> to the last.</param>
    public void SetLost(double seconds)
    {
        Row = Row with { ProductiveSeconds = Row.ProductiveSeconds + Row.LostSeconds - seconds, LostSeconds = seconds };
        (IsLostInDoubt, HasNews) = (false, true);
    }

    public void MarkSaved() => HasNews = false;

    private static DateTimeOffset StartOf(in StoredStep step) => step.Time.AddMilliseconds(-Math.Round(Math.Clamp(step.Seconds, 0, MostSeconds) * 1000));

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
