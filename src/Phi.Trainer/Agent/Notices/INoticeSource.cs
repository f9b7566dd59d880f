using Phi.Api.Agent;

namespace Phi.Trainer.Agent.Notices;

/// <summary>Somebody who knows beforehand that this machine is about to go.</summary>
internal interface INoticeSource
{
    /// <summary>The notice in force; null: none.</summary>
    Task<DisruptionNotice?> LookAsync(CancellationToken ct);
}
