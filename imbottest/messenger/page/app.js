const answer = await fetch("api/state?user=1");
document.getElementById("state").textContent = JSON.stringify(await answer.json(), null, 1);
