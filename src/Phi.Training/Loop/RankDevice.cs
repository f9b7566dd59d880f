using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Loop;

/// <summary>What a rank computes on, and the group that moves that device's memory between ranks.</summary>
/// <param name="IsShared">
/// Other ranks, threads of this process, compute on the device too. They share its default stream, in which one's wait for communication
/// would hold up the work that its peer's communication waits for: so nothing overlaps then.
/// </param>
public sealed record RankDevice(IDevice Device, ICommunicator Group, bool IsShared = false);
