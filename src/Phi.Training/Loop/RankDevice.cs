using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Loop;

/// <summary>What a rank computes on, and the group that moves that device's memory between ranks.</summary>
public sealed record RankDevice(IDevice Device, ICommunicator Group);
