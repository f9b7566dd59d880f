using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Every node: whether it is well, what of it is used, and by which jobs.</summary>
public sealed partial class Nodes : LiveComponent
{
    private IReadOnlyList<NodeLine> _nodes = [];

    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Node;

    protected override Task RefreshAsync(CancellationToken ct)
    {
        _nodes = [.. Live.Nodes.Select(node => NodeLine.Of(node, Live.PodsOn(node)))];
        return Task.CompletedTask;
    }
}
