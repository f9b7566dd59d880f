namespace Phi.Checkpoints;

/// <summary>What a failure of the storage asks for.</summary>
public enum StorageFault
{
    /// <summary>It does not answer, or with an error of its own: waiting may mend it.</summary>
    Unavailable,

    /// <summary>There is no room: somebody has to make some, and others' end may.</summary>
    Full,

    /// <summary>The place, the credential or a permission is wrong: nothing but a person mends that.</summary>
    Refused,
}
