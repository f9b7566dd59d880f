namespace Phi.Checkpoints;

/// <summary>What a failure of the storage asks for.</summary>
public enum StorageFault
{
    /// <summary>It does not answer, or with an error of its own: waiting may mend it.</summary>
    Unavailable,

    /// <summary>It is full, or broken: another try may do, many will not.</summary>
    Failed,

    /// <summary>The place, the credential or a permission is wrong: nothing but a person mends that.</summary>
    Refused,
}
