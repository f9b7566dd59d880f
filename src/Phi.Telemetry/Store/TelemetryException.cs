namespace Phi.Telemetry.Store;

/// <summary>The telemetry database cannot be used; the message says which, why, and what to do.</summary>
public sealed class TelemetryException(string message, Exception? inner = null) : Exception(message, inner);
