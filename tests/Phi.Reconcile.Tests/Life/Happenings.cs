using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests.Life;

/// <summary>What can happen to a job besides its operator's decisions, by number; a happening that makes no sense now does nothing.</summary>
internal static class Happenings
{
    private static readonly int[] ExitCodes = [1, 10, 11, 12, 14, 137];

    private static readonly (string Name, Action<World, int> Happen)[] All =
    [
        ("time", (world, choice) => Tick(world, 1 + (choice % 40))),
        ("kubelet", (world, choice) => WithPod(world, choice, pod => Kubelet(world, pod))),
        ("kubelets", (world, _) => Kubelets(world)),
        ("kubelets and agents", (world, _) => Live(world)),
        ("grant", (world, choice) => Grant(world, Math.Max(choice % (World.Replicas + 1), world.Job.Spec.MinReplicas ?? World.Replicas))),
        ("all well for a while", (world, _) => Prosper(world)),
        ("pod fails", (world, choice) => WithPod(world, choice, pod => FailPod(world, pod, ExitCodes[choice % ExitCodes.Length]))),
        ("pod succeeds", (world, choice) => WithPod(world, choice, pod => Succeed(world, pod))),
        ("pod is deleted", (world, choice) => WithPod(world, choice, pod => world.Delete(pod, null))),
        ("pod is evicted", (world, choice) => WithPod(world, choice, pod => Disrupt(world, pod))),
        ("node goes down", (world, choice) => WithMachine(world, choice, machine => machine.IsUp = false)),
        ("node comes up", (world, choice) => WithMachine(world, choice, machine => (machine.IsUp, machine.IsThere) = (true, true))),
        ("node is gone", (world, choice) => WithMachine(world, choice, machine => machine.IsThere = false)),
        ("node is about to go, or not any more", (world, choice) => WithMachine(world, choice, machine => machine.IsGoing = !machine.IsGoing)),
        ("agent freezes", (world, choice) => WithPod(world, choice, world.Agents.Freeze)),
        ("ranks get stuck, or unstuck", (world, _) => world.Agents.IsStuck = !world.Agents.IsStuck),
        ("rank fails", (world, choice) => WithPod(world, choice, pod => world.Agents.Fail(pod, ExitCodes[choice % ExitCodes.Length]))),
        ("ranks save and leave", (world, _) => world.Agents.SaveAndLeave()),
        ("checkpoint", (world, _) => world.Edit(job => (job.Status!.Checkpoint, job.Status.Progress) = (new CheckpointStatus { Step = 5, Time = world.Now }, new ProgressStatus { Step = 6 }))),
        ("queue considers", (world, _) => Consider(world)),
        ("queue evicts", (world, _) => Evict(world)),
        ("suspended, or resumed", (world, _) => world.Edit(job => job.Spec.Suspend = job.Spec.Suspend != true)),
        ("queue written or taken out", (world, choice) => world.Edit(job => job.Spec.Queue = choice % 3 > 0 ? job.Spec.Queue : job.Spec.Queue is null ? "research" : null)),
        ("operator ends within its next decision", (world, choice) => world.Interrupted = choice % 3),
        ("another operator leads", (world, _) => world.Agents.Forget()),
    ];

    public static int Count => All.Length;

    public static string Name(int what) => All[what].Name;

    public static void Happen(World world, int what, int choice) => All[what].Happen(world, choice);

    /// <summary>Everything is mended, and the queue has room.</summary>
    public static void Heal(World world)
    {
        foreach (var machine in world.Machines)
        {
            (machine.IsUp, machine.IsThere, machine.IsGoing) = (true, true, false);
        }

        (world.Agents.IsStuck, world.Interrupted) = (false, null);
        world.Agents.Thaw();
        world.Edit(job => job.Spec.Suspend = false);
    }

    /// <summary>So much time passes, in which agents speak.</summary>
    public static void Tick(World world, double seconds)
    {
        world.Wait(seconds);
        world.Agents.Beat();
    }

    /// <summary>Pods, agents and queue each do what is next for them.</summary>
    public static void Live(World world)
    {
        Kubelets(world);
        world.Agents.Beat();
        world.Agents.SaveAndLeave();
        Consider(world);
        Grant(world, World.Replicas);
    }

    private static void Prosper(World world)
    {
        for (var i = 0; i < 8; i++)
        {
            Live(world);
            Tick(world, 1);
            LifePropertyTests.React(world);
        }
    }

    private static void Kubelets(World world) => world.Pods.ToList().ForEach(pod => Kubelet(world, pod));

    private static void Kubelet(World world, PodSnapshot pod)
    {
        if (pod.Node is not null && world.Machine(pod.Node) is null)
        {
            world.Remove(pod);
        }
        else if (pod is { Node: null, IsGated: false, Pin: { } pin } && world.Machine(pin) is { IsUp: true, IsGoing: false })
        {
            world.Change(pod, old => old with { Node = pin });
        }
        else if (world.Machine(pod.Node) is { IsUp: true } && pod.IsDeleting)
        {
            world.Remove(pod);
        }
        else if (world.Machine(pod.Node) is { IsUp: true } && pod.Phase == "Pending")
        {
            world.Change(pod, old => old with { Phase = "Running", RunningSince = world.Now });
        }
    }

    private static void FailPod(World world, PodSnapshot pod, int exitCode)
    {
        if (pod.Phase == "Running")
        {
            world.Change(pod, old => old with { Phase = "Failed", ExitCode = exitCode });
        }
    }

    /// <summary>Pods of one gang succeed together, within moments.</summary>
    private static void Succeed(World world, PodSnapshot pod)
    {
        if (pod.Phase == "Running" && world.Status.Phase == TrainingPhase.Running)
        {
            world.Change(pod, old => old with { Phase = "Succeeded", ExitCode = 0 });
        }
    }

    private static void Disrupt(World world, PodSnapshot pod)
    {
        world.Change(pod, old => old with { IsDisrupted = true, DisruptionReason = "EvictionByEvictionAPI" });
        world.Delete(pod, null);
    }

    private static void Consider(World world)
    {
        if (IsPending(world) && world.Admission is null)
        {
            world.Say(new QueueAdmission(AdmissionState.Waiting, 0, "InsufficientQuota", "6 are needed and 2 are free"));
        }
    }

    private static void Grant(World world, int replicas)
    {
        if (IsPending(world) && world.Admission is null or { State: AdmissionState.Waiting })
        {
            world.Say(new QueueAdmission(AdmissionState.Granted, replicas, "QuotaReserved", $"{replicas} of {World.Replicas} pods have quota"));
        }
    }

    private static void Evict(World world)
    {
        if (world.Admission is { State: AdmissionState.Granted } granted)
        {
            world.Say(new QueueAdmission(AdmissionState.Evicting, granted.Replicas, "Preempted", "room is needed for default/urgent", world.Now.AddSeconds(60), "InQueue"));
        }
    }

    private static bool IsPending(World world) =>
        !string.IsNullOrEmpty(world.Job.Spec.Queue) && world.Job.Spec.Suspend != true && !world.IsFinished && !world.HasCondition(TrainingConditions.QuotaReserved);

    private static void WithPod(World world, int choice, Action<PodSnapshot> act)
    {
        if (world.Pods.Count > 0)
        {
            act(world.Pods[choice % world.Pods.Count]);
        }
    }

    private static void WithMachine(World world, int choice, Action<Machine> act)
    {
        act(world.Machines[choice % world.Machines.Length]);
        world.Change();
    }
}
