using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>Processes that make the same store at the same moment all get it.</summary>
public sealed class CreationRaceTests
{
    [Fact]
    public void Openings_that_race_to_make_a_store_all_get_the_same_one()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-").FullName;
        try
        {
            for (int round = 0; round < 25; round++)
            {
                string path = Path.Combine(folder, $"store-{round}");
                using var together = new Barrier(4);
                string[] ids = new string[4];
                Exception?[] failures = new Exception?[4];
                Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() =>
                {
                    try
                    {
                        together.SignalAndWait();
                        using SessionStore store = SessionStore.Open(path);
                        store.Create().Say("here");
                        ids[i] = store.Info().GetProperty("store_id").GetString()!;
                        store.Close();
                    }
                    catch (Exception e)
                    {
                        failures[i] = e;
                    }
                }))];
                Array.ForEach(threads, t => t.Start());
                Array.ForEach(threads, t => t.Join());
                Assert.All(failures, Assert.Null);
                Assert.Single(ids.Distinct());
                using SessionStore again = SessionStore.Open(path);
                Assert.Equal(4, again.List().GetArrayLength());
                again.AssertSound();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
