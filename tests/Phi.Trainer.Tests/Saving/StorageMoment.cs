namespace Phi.Trainer.Tests.Saving;

/// <summary>Points of a storage's work at which a test can stop it, or make it fail.</summary>
public enum StorageMoment
{
    WriteBegins,
    /// <summary>Some bytes of the file are written, and not all.</summary>
    WriteGoesOn,
    WriteEnded,
    CommitBegins,
    /// <summary>The manifest is there under its temporary name, half of it.</summary>
    CommitGoesOn,
    CommitEnded,
}
