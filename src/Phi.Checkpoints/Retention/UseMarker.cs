namespace Phi.Checkpoints.Retention;

/// <summary>Content of a <c>use-….json</c>: it counts for so many seconds after it was written last, so that no two clocks are compared.</summary>
internal sealed record UseMarker(string Who, string Purpose, double Seconds);
