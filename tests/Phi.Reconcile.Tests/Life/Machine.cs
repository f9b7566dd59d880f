namespace Phi.Reconcile.Tests.Life;

internal sealed class Machine(string name)
{
    public string Name => name;

    public bool IsThere { get; set; } = true;

    public bool IsUp { get; set; } = true;

    /// <summary>Has the taint of a machine that is about to go.</summary>
    public bool IsGoing { get; set; }
}
