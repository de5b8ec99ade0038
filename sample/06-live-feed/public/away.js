// How long, the page has said: it knows the times of the stage.
setTimeout(() => location.replace('./'), Number(location.hash.slice(1)));
