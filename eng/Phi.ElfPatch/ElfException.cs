namespace Phi.ElfPatch;

/// <summary>The file is not what the patch expects; nothing was changed.</summary>
public sealed class ElfException(string message) : Exception(message);
