namespace Phi.Operator.Controllers;

/// <summary>Runs controllers side by side.</summary>
internal static class ControllerSet
{
    /// <summary>Runs all until cancelled. When one fails the others are stopped, and its failure is this call's.</summary>
    public static async Task RunAsync(IReadOnlyList<IController> controllers, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var loops = controllers.Select(controller => Task.Run(() => controller.RunAsync(stop.Token), CancellationToken.None)).ToList();
        var first = await Task.WhenAny(loops);
        await stop.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
        ct.ThrowIfCancellationRequested();
        throw new InvalidOperationException($"the controller {controllers[loops.IndexOf(first)].Name} ended by itself");
    }
}
