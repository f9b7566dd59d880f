namespace Phi.Operator.Controllers;

/// <summary>Work that only the leading replica does. It runs anew each time that the replica comes to lead.</summary>
internal interface IController
{
    /// <summary>A lowercase word, for metrics and messages.</summary>
    string Name { get; }

    /// <summary>Runs until cancelled; the token ends with the leadership. Ending by itself, or a failure, ends the operator.</summary>
    Task RunAsync(CancellationToken ct);
}
