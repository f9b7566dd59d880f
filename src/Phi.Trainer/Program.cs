using System.CommandLine;
using Phi.Trainer.Agent;
using Phi.Trainer.Ranks;

var agent = new Command("agent", "Start, watch and restart the ranks of this pod, as its environment says.");
agent.SetAction(async (_, _) => await AgentProgram.RunAsync());

var rank = new Command("rank", "Train as one rank; started by the agent.") { Hidden = true };
rank.SetAction(async (_, _) => await RankProgram.RunAsync());

var checkpoint = new Option<string>("--checkpoint") { Description = "Folder of a committed checkpoint, such as …/step-00000300.", Required = true };
var prompt = new Option<string>("--prompt") { Description = "Text to continue.", DefaultValueFactory = _ => "def " };
var tokens = new Option<int>("--tokens") { Description = "Most tokens to generate.", DefaultValueFactory = _ => 200 };
var sample = new Command("sample", "Print text from a trained model.") { checkpoint, prompt, tokens };
sample.SetAction(parse => SampleProgram.Run(parse.GetRequiredValue(checkpoint), parse.GetRequiredValue(prompt), parse.GetValue(tokens)));

var root = new RootCommand("PhiOrchestrator's trainer: what runs in a training pod.") { agent, rank, sample };

// SIGTERM is the agent's to handle: it asks the ranks to save first.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
