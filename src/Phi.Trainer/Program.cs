using System.CommandLine;
using Phi.Trainer;
using Phi.Trainer.Agent;
using Phi.Trainer.Evaluating;
using Phi.Trainer.Progress;
using Phi.Trainer.Ranks;
using Phi.Trainer.Sampling;

var agent = new Command("agent", "Start, watch and restart the ranks of this pod, as its environment says.");
agent.SetAction(async (_, _) => await AgentProgram.RunAsync());

var waits = new Option<bool>("--wait-for-saves") { Description = "Training stands still for every save, from its beginning to its commit: to measure what saving beside training is worth." };
var rank = new Command("rank", "Train as one rank; started by the agent.") { waits };
rank.Hidden = true;
rank.SetAction(async (given, _) => await RankProgram.RunAsync(given.GetValue(waits)));

var evaluate = new Command("evaluate", "Evaluate one checkpoint, as standard input says; started by the agent.") { Hidden = true };
evaluate.SetAction(async (_, _) => await EvaluateProgram.RunAsync());

var progress = new Command("progress", "Read the progress file of this pod's program and report it, as a sidecar.");
progress.SetAction(async (_, _) => await ProgressProgram.RunAsync());

var root = new RootCommand("PhiOrchestrator's trainer: what runs in a training pod.") { agent, evaluate, progress, rank, SampleCommand.Create(), CompleteCommand.Create() };

// A prompt may begin with '@', which would name a file of arguments.
var parse = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parse.Errors.Count > 0)
{
    await parse.InvokeAsync(new InvocationConfiguration { Output = Console.Error });
    return SampleProgram.Usage;
}

// SIGTERM is the agent's to handle: it asks the ranks to save first.
return await parse.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
