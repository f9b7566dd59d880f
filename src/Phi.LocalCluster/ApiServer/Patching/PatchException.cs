namespace Phi.LocalCluster.ApiServer.Patching;

/// <summary>The patch does not fit the object.</summary>
internal sealed class PatchException(string message) : Exception(message);
