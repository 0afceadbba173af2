eventSource.onmessage = (event) => {
  const data = JSON.parse(event.data);

  if (data.job_id === 'abc123') {
    console.log('Quiz completed!', data.result);
    displayQuiz(data.result);
  }
};
