namespace Phi.Operator.Events;

/// <summary>Something that was said and is not written yet.</summary>
internal sealed record PendingEvent(EventSubject Subject, bool IsWarning, string Reason, string Message, DateTimeOffset Time);
