namespace Phi.Trainer.Tests.Saving;

/// <summary>Where a rank is killed.</summary>
public enum SavePoint
{
    /// <summary>Nowhere.</summary>
    None,
    /// <summary>It has done the step that is to be saved, and copied nothing yet.</summary>
    BeforeSnapshot,
    /// <summary>No byte of its shard is written; the other ranks' shards are there.</summary>
    BeforeShard,
    /// <summary>Half of its shard is written.</summary>
    DuringShard,
    /// <summary>Its shard is there; the ranks have not exchanged what they wrote.</summary>
    BeforeExchange,
    /// <summary>All shards are there.</summary>
    BeforeCommit,
    /// <summary>The manifest is there under its temporary name.</summary>
    DuringCommit,
    /// <summary>The checkpoint exists; older ones are not removed yet.</summary>
    BeforeRetention,
}
